/** Where galleyd answers otherwise than dockerd 20.10, and why. `line` is a part of the call. */
export interface Difference {
  line: string;
  reason: string;
  /** Shows only on a host that lacks something. */
  perhaps?: true;
}

const NEWER = 'galley has the words of Docker 28';

export const DIFFERENCES: readonly Difference[] = [
  // create
  { line: '--cpu-shares=-1', reason: NEWER },
  { line: '--log-driver nosuch', reason: 'galley also names the drivers that it has' },
  { line: '--restart nosuch', reason: NEWER },
  { line: '--restart always:3', reason: NEWER },
  { line: '--restart on-failure:-1', reason: NEWER },
  { line: '--runtime nosuch', reason: NEWER },
  { line: '--isolation nosuch', reason: NEWER },
  { line: '--kernel-memory', reason: 'the kernel has dropped this limit, and Docker 28 ignores the field' },
  { line: '--platform linux/nosuch', reason: NEWER },
  { line: '--dns 9.9.9.9', reason: 'Docker 28 writes the name servers first' },
  {
    line: '--cap-add ALL',
    reason: 'dockerd fails where the host lacks a capability; galley grants what there is',
    perhaps: true,
  },
  { line: 'cut -d" " -f2,3 /proc/mounts', reason: 'Docker 28 also masks /proc/interrupts' },
  { line: '--uts host', reason: "galley's /etc/hostname tells the name that hostname tells" },
  { line: '--network none busybox ip', reason: 'the loopback interface has its IPv6 address, as with Docker 28' },
  { line: '--pid container:b1', reason: 'galley says what it was that cannot be joined' },
  { line: '--ipc container:b1', reason: 'galley says what it was that cannot be joined' },
  { line: "{{json .HostConfig}}' c1", reason: 'Docker 28 writes the network "default" as "bridge"' },
  {
    line: '--init --privileged',
    reason: 'galley warns of the capabilities that the host lacks',
    perhaps: true,
  },
  // lifecycle
  { line: 'docker rm c1', reason: NEWER },
  { line: 'docker rm f1', reason: NEWER },
  { line: 'kill -s SIGNOSUCH', reason: NEWER },
  { line: 'kill -s 0', reason: NEWER },
  { line: 'health=nosuch', reason: NEWER },
  { line: 'exited=x', reason: NEWER },
  { line: 'since=nosuch', reason: NEWER },
  { line: 'publish=x', reason: NEWER },
  { line: 'is-task=x', reason: NEWER },
  { line: 'until=x', reason: NEWER },
  { line: 'name b1 -p 127.0.0.1:24567:80', reason: 'galley also says who holds the port' },
  // system
  { line: '{{json .Plugins}}', reason: 'galley names the drivers that it has' },
  { line: '{{.SecurityOptions}}', reason: 'Docker 28 calls the default seccomp profile builtin' },
  // files
  { line: 'cp c1:/d/one/', reason: "dockerd's words have a path of the host in them" },
  { line: 'echo garbage | docker cp', reason: 'galley says what is wrong with the archive' },
  // streams
  { line: 'exec c1 nosuch', reason: 'since 23.0 a command that is not there is 127' },
  { line: 'exec -w /nosuch', reason: 'since 23.0 a folder that is not there is 127' },
  { line: "exec c1 ''", reason: 'since 23.0 a command that is not there is 127' },
  {
    line: 'exec --privileged',
    reason: 'dockerd fails where the host lacks a capability; galley grants what there is',
    perhaps: true,
  },
];

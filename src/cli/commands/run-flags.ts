/** The flags of `run` and `create`; each fills one field of the create body (src/cli/run/). */
import type { FlagSpec } from '../types.ts';
import { DETACH_KEYS, flag } from './flag.ts';
import {
  checkAddHost,
  checkAttach,
  checkDeviceRule,
  checkEnv,
  checkLabelLike,
  checkMount,
  checkSysctl,
  checkUlimit,
} from './run-checks.ts';

const IDENTITY: FlagSpec[] = [
  flag('name', '', 'string', 'name of the container'),
  flag('hostname', 'h', 'string', 'host name inside the container'),
  flag('domainname', '', 'string', 'NIS domain name inside the container'),
  flag('label', 'l', 'list', 'metadata, KEY=VALUE'),
  flag('label-file', '', 'list', 'read labels from a file, one a line'),
  flag('annotation', '', 'map', 'annotation for the OCI runtime, KEY=VALUE', { check: checkLabelLike, since: '1.43' }),
  flag('cidfile', '', 'string', 'write the container id to this file'),
  flag('platform', '', 'string', 'platform of the image: OS[/ARCH[/VARIANT]]'),
  flag('pull', '', 'string', 'pull the image: always, missing or never', { default: 'missing' }),
  flag('quiet', 'q', 'bool', 'no pull progress'),
  flag('runtime', '', 'string', 'OCI runtime to use'),
  flag('disable-content-trust', '', 'bool', 'skip image verification', { default: 'true' }),
];

const PROCESS: FlagSpec[] = [
  flag('interactive', 'i', 'bool', 'keep stdin open'),
  flag('tty', 't', 'bool', 'give the command a terminal'),
  flag('attach', 'a', 'list', 'attach to STDIN, STDOUT or STDERR only', { check: checkAttach }),
  flag('entrypoint', '', 'string', "replace the image's entrypoint"),
  flag('user', 'u', 'string', 'user (and group) of the command: NAME|UID[:GROUP|GID]'),
  flag('group-add', '', 'list', 'one more group of the user'),
  flag('workdir', 'w', 'string', 'working directory inside the container'),
  flag('env', 'e', 'list', 'environment variable NAME=VALUE; NAME alone takes the value from here', {
    check: checkEnv,
  }),
  flag('env-file', '', 'list', 'read environment variables from a file'),
  flag('init', '', 'bool', 'run a small init that reaps processes and forwards signals'),
  flag('stop-signal', '', 'string', 'signal that `stop` sends'),
  flag('stop-timeout', '', 'int', 'seconds that `stop` waits before it kills'),
  flag('restart', '', 'string', 'restart policy: no, on-failure[:MAX], always, unless-stopped', { default: 'no' }),
  flag('health-cmd', '', 'string', 'command that checks health'),
  flag('health-interval', '', 'duration', 'time between health checks'),
  flag('health-timeout', '', 'duration', 'time a health check may take'),
  flag('health-retries', '', 'int', 'failures in a row that make it unhealthy'),
  flag('health-start-period', '', 'duration', 'time after the start in which failures do not count'),
  flag('health-start-interval', '', 'duration', 'time between checks in the start period', { since: '1.44' }),
  flag('no-healthcheck', '', 'bool', "ignore the image's health check"),
  flag('log-driver', '', 'string', 'logging driver'),
  flag('log-opt', '', 'list', 'option of the logging driver, KEY=VALUE'),
];

const NETWORK: FlagSpec[] = [
  flag('publish', 'p', 'list', 'publish a port: [[IP:]HOST:]CONTAINER[/PROTO]'),
  flag('publish-all', 'P', 'bool', 'publish every exposed port on a free host port'),
  flag('expose', '', 'list', 'port or range that the container listens on'),
  flag('network', '', 'network', 'network to join: bridge, host, none, container:NAME or one of your own'),
  flag('net', '', 'network', 'former name of --network', { hidden: true }),
  flag('network-alias', '', 'list', 'one more name on the network'),
  flag('net-alias', '', 'list', 'former name of --network-alias', { hidden: true }),
  flag('ip', '', 'string', 'IPv4 address on the network'),
  flag('ip6', '', 'string', 'IPv6 address on the network'),
  flag('link-local-ip', '', 'list', 'link-local address'),
  flag('mac-address', '', 'string', 'MAC address of the interface'),
  flag('link', '', 'list', 'link to another container (default bridge)'),
  flag('add-host', '', 'list', 'line for /etc/hosts: NAME:IP', { check: checkAddHost }),
  flag('dns', '', 'list', 'DNS server'),
  flag('dns-option', '', 'list', 'DNS option'),
  flag('dns-opt', '', 'list', 'former name of --dns-option', { hidden: true }),
  flag('dns-search', '', 'list', 'DNS search domain'),
];

const STORAGE: FlagSpec[] = [
  flag('volume', 'v', 'list', 'mount a volume or a folder: [SOURCE:]TARGET[:OPTIONS]'),
  flag('mount', '', 'mount', 'mount by fields: type=bind,src=…,dst=…', { check: checkMount }),
  flag('tmpfs', '', 'list', 'mount a tmpfs: TARGET[:OPTIONS]'),
  flag('volumes-from', '', 'list', 'mounts of another container'),
  flag('volume-driver', '', 'string', 'driver of the volumes it creates'),
  flag('read-only', '', 'bool', 'mount the root file system read-only'),
  flag('shm-size', '', 'bytes', 'size of /dev/shm'),
  flag('storage-opt', '', 'list', 'option of the storage driver'),
];

const LIMITS: FlagSpec[] = [
  flag('memory', 'm', 'bytes', 'memory limit'),
  flag('memory-reservation', '', 'bytes', 'soft memory limit'),
  flag('memory-swap', '', 'bytes', 'memory plus swap; -1 is unlimited swap'),
  flag('memory-swappiness', '', 'int', 'swappiness, 0 to 100', { default: '-1' }),
  flag('kernel-memory', '', 'bytes', 'kernel memory limit', { hidden: true }),
  flag('cpus', '', 'decimal', 'number of CPUs'),
  flag('cpu-shares', 'c', 'int', 'CPU shares, relative to 1024'),
  flag('cpu-period', '', 'int', 'CFS period in microseconds'),
  flag('cpu-quota', '', 'int', 'CFS quota in microseconds'),
  flag('cpu-rt-period', '', 'int', 'real-time period in microseconds'),
  flag('cpu-rt-runtime', '', 'int', 'real-time runtime in microseconds'),
  flag('cpuset-cpus', '', 'string', 'CPUs it may use: 0-3, 0,1'),
  flag('cpuset-mems', '', 'string', 'memory nodes it may use'),
  flag('pids-limit', '', 'int', 'number of processes; -1 is unlimited'),
  flag('ulimit', '', 'ulimit', 'resource limit NAME=SOFT[:HARD]', { check: checkUlimit }),
  flag('blkio-weight', '', 'int', 'block IO weight, 10 to 1000'),
  flag('blkio-weight-device', '', 'list', 'block IO weight of a device: PATH:WEIGHT'),
  flag('device-read-bps', '', 'list', 'bytes a second read from a device: PATH:RATE'),
  flag('device-write-bps', '', 'list', 'bytes a second written to a device: PATH:RATE'),
  flag('device-read-iops', '', 'list', 'reads a second from a device: PATH:RATE'),
  flag('device-write-iops', '', 'list', 'writes a second to a device: PATH:RATE'),
  flag('oom-kill-disable', '', 'bool', 'no OOM killer'),
  flag('oom-score-adj', '', 'int', 'OOM preference, -1000 to 1000'),
  flag('cgroup-parent', '', 'string', 'parent cgroup'),
];

const ISOLATION: FlagSpec[] = [
  flag('privileged', '', 'bool', "all of the host's rights"),
  flag('cap-add', '', 'list', 'add a capability'),
  flag('cap-drop', '', 'list', 'take a capability away'),
  flag('security-opt', '', 'list', 'seccomp=…, no-new-privileges, systempaths=unconfined, …'),
  flag('device', '', 'list', 'device of the host: PATH[:TARGET[:rwm]]'),
  flag('device-cgroup-rule', '', 'list', "rule for the cgroup's device list", { check: checkDeviceRule }),
  flag('gpus', '', 'string', "GPUs: 'all' or a number"),
  flag('sysctl', '', 'map', 'kernel parameter NAME=VALUE', { check: checkSysctl }),
  flag('cgroupns', '', 'string', 'cgroup namespace: host or private', { since: '1.41' }),
  flag('ipc', '', 'string', 'IPC namespace: none, private, shareable, host, container:NAME'),
  flag('pid', '', 'string', 'PID namespace: host or container:NAME'),
  flag('userns', '', 'string', 'user namespace: host'),
  flag('uts', '', 'string', 'UTS namespace: host'),
  flag('isolation', '', 'string', 'isolation technology (default)', { hidden: true }),
];

/** What `create` takes. */
export const CREATE_FLAGS: readonly FlagSpec[] = [
  ...IDENTITY,
  ...PROCESS,
  ...NETWORK,
  ...STORAGE,
  ...LIMITS,
  ...ISOLATION,
  flag('rm', '', 'bool', 'remove the container and its anonymous volumes when it exits'),
];

const CHANGEABLE = new Set(
  'blkio-weight cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus cpuset-mems memory memory-reservation memory-swap pids-limit restart'.split(
    ' ',
  ),
);

/** What `update` can change of a container. */
export const UPDATE_FLAGS: readonly FlagSpec[] = CREATE_FLAGS.filter((one) => CHANGEABLE.has(one.name)).map((one) =>
  one.name === 'restart' ? flag('restart', '', 'string', one.help) : one,
);

/** What `run` takes: all of `create`, and how to attach. */
export const RUN_FLAGS: readonly FlagSpec[] = [
  ...CREATE_FLAGS,
  flag('detach', 'd', 'bool', 'leave it running and print its id'),
  flag('sig-proxy', '', 'bool', 'pass signals on to the command', { default: 'true' }),
  DETACH_KEYS,
];

/** What a script sees of galley is what it sees of the docker CLI: the same lines, streams and exit codes, on the same engine. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { comparing } from '../fixtures/comparing.ts';
import { type DockerCli, dockerCli } from '../fixtures/docker.ts';
import { isRoot } from '../fixtures/engine.ts';
import { type ToolResult, tool } from '../fixtures/exec.ts';
import { galleyProgram, TARGETS, type Target } from './cli-target.ts';

/** A `_` stands for a blank inside a word. IMAGE is a busybox that the engine has. */
const wordsOf = (line: string, image: string) =>
  line.split(' ').map((word) => word.replaceAll('_', ' ').replaceAll('IMAGE', image));

/** Both programs name themselves. */
const asGalley = (text: string) =>
  text
    .replaceAll('docker:', 'galley:')
    .replaceAll("'docker ", "'galley ")
    .replaceAll('Usage:  docker', 'Usage:  galley');

describe.skipIf(!isRoot).each(TARGETS)('on %s (needs root)', (_name, start) => {
  let target: Target;
  let docker: DockerCli;
  beforeAll(async () => {
    target = await start();
    docker = await dockerCli(target.host);
    await docker.must(['pull', '-q', target.image]);
    const flags =
      '-d --name web -p 127.0.0.1:0:80 -v data:/data -l a=b -l c=d -e X=1 --health-cmd true --health-interval 1h'.split(
        ' ',
      );
    await docker.must(['run', ...flags, target.image, 'sh', '-c', 'echo one; echo two >&2; sleep 600']);
    await docker.must(['volume', 'create', 'vol10']);
    await docker.must(['volume', 'create', 'vol2']);
    await docker.must(['tag', target.image, 'other:v1']);
  });
  afterAll(async () => {
    docker?.close();
    await target?.stop();
  });
  const galley = (words: readonly string[]) =>
    tool(process.execPath, [...galleyProgram, ...words], { env: docker.env });

  /** Ages are told in seconds, and a second may begin between the two. */
  const still = (result: ToolResult): ToolResult => ({
    ...result,
    stdout: asGalley(result.stdout).replace(/(Less than a second|\d+ seconds?|About a minute|\d+ minutes)/g, 'AGE'),
    stderr: asGalley(result.stderr),
  });
  const same = async (line: string): Promise<[ours: ToolResult, theirs: ToolResult]> => {
    const words = wordsOf(line, target.image);
    const [ours, theirs] = await Promise.all([galley(words), docker.run(words)]);
    return [still(ours), still(theirs)];
  };

  comparing.each([
    '{{.Names}}_{{.Image}}_{{.Command}}_{{.State}}_{{.Labels}}_{{.Mounts}}_{{.LocalVolumes}}_{{.Networks}}',
    'table_{{.Names}}\\t{{.State}}\\t{{.Label_"a"}}',
    'table_{{upper_.Names}}_{{title_.State}}',
    '{{pad_.Names_3_5}}|{{truncate_.Image_10}}|{{join_(split_.Names_"e")_"-"}}|{{printf_"%-10s|%q|%5d|%v"_.Names_.State_3_true}}',
    '{{if_eq_.State_"running"}}yes{{else}}no{{end}}_{{len_.Names}}_{{range_split_.Labels_","}}[{{.}}]{{end}}{{with_.Names}}{{.}}{{end}}',
    '{{$x_:=_.Names}}{{$x}}{{/*_c_*/}}_{{-_"_trim"_-}}___x',
    '{{json_.Names}}',
    'raw',
    'json',
    '{{.Nope}}',
    '{{.Names',
    '{{foo_.Names}}',
    '{{range}}',
    '{{.Names_|_nope}}',
  ])('ps --format %s', async (format) => {
    const [ours, theirs] = await same(`ps --format ${format}`);
    expect(ours).toEqual(theirs);
  });

  comparing.each([
    '{{.ID}}_{{.Id}}',
    '{{.Name}}_{{.Mounts}}_{{.NetworkSettings.Ports}}_{{.HostConfig.PortBindings}}',
    '{{.Config.Healthcheck}}_{{.Config.Healthcheck.Interval}}_{{.State.Status}}',
    '{{if_.State.Health}}yes{{end}}_{{if_.HostConfig.Init}}a{{else}}b{{end}}_{{.HostConfig.Init}}_{{json_.HostConfig.Init}}',
    '{{.Config.Env}}_{{.Config.Entrypoint}}_{{json_.Config.Entrypoint}}_{{.HostConfig.CapAdd}}_{{.Config.Labels.zz}}',
    '{{range_$p,_$c_:=_.NetworkSettings.Ports}}{{$p}}={{(index_$c_0).HostPort}}{{end}}',
    '{{range_$p,_$c_:=_.NetworkSettings.Ports}}{{(index_$c_0).HostIp}}{{end}}',
    '{{range_$k,_$v_:=_.Config.Labels}}{{$k}}={{$v}};{{end}}_{{index_.Config.Labels_"a"}}',
    '{{json_.Config}}',
    '{{println_.Name}}{{print_1_2_"a"_"b"_3}}_{{slice_.Name_1_2}}_{{lt_1_2}}_{{and_true_.State.Running}}',
    '{{slice_.Name_9}}',
    '{{index_.Config.Env_99}}',
    '{{.Nope}}',
    '{{.State.Nope}}',
    '{{.Nope.Deep}}',
    '{{end}}',
  ])('inspect -f %s', async (format) => {
    const [ours, theirs] = await same(`inspect -f ${format} web`);
    expect(ours).toEqual(theirs);
  });

  comparing.each([
    'inspect -f plain web nosuch',
    'inspect nosuch web',
    'inspect --type container data',
    'inspect --type volume data',
    'container inspect nosuch',
    'volume inspect -f {{.Name}}_{{.Driver}}_{{.Labels}}_{{.Options}}_{{.Status}} data',
    'network inspect -f {{.ID}}_{{.IPAM.Config}}_{{.Labels}}_{{.Created}} bridge',
    'image inspect -f {{.ID}}_{{.RepoTags}}_{{.Config.Cmd}}_{{.Config.Labels}}_{{.RootFS}}_{{.Metadata}} IMAGE',
    'ps -q --format {{.Names}}',
    'ps -q --format json',
    'ps -f nope=1',
    'ps -f nope',
    'ps -n x',
    'ps extra',
    'ps -aqz',
    'images -q --format {{.Repository}}',
    'images --format {{.Repository}}|{{.Tag}}|{{.Size}}|{{.SharedSize}}|{{.VirtualSize}}|{{.CreatedAt}} other',
    'images --format raw other',
    'images --format {{.Nope}}',
    'images nosuch',
    'volume ls',
    'volume ls -q -f name=vol',
    'volume ls --format raw',
    'volume ls --format {{.Nope',
    'network ls --format {{.Name}}_{{.Driver}}_{{.IPv6}}_{{.Internal}}',
    'network ls -q --format raw',
    'logs --tail bad web',
    'logs --since bad web',
    'logs --until 1h web',
    'port web 80/udp',
    'port web x',
    'port web 99999',
    'rename web /bad/',
    'rename nosuch x',
    'rename web',
    'rename web _',
    'rm -f nosuch',
    'rm nosuch',
    'kill -s BAD web',
    'start web nosuch',
    'wait nosuch',
    'top web -o pid,args',
    'exec web sh -c exit_3',
    'exec web nosuch',
    'exec web /etc',
    'exec -w /nosuch web pwd',
    'exec -u nosuch web id',
    'exec -it web true',
    'exec --env-file /nonexistent web true',
    'exec web',
    'attach nosuch',
    'run --rm IMAGE /nosuch',
    'run --rm UPPER',
    'run --rm -v bad:name:/x:zz IMAGE true',
    'run --rm -v a::ro IMAGE true',
    'run --rm --cidfile /nosuch/cid IMAGE true',
    'run --rm --network nosuch IMAGE true',
    'run --rm --memory 1k IMAGE true',
    'run --rm --mount type=bind,src=/nosuch,dst=/x IMAGE true',
    'run --rm -t IMAGE sh -c echo_out;echo_err_>&2;tty',
    'run --rm -a stderr IMAGE sh -c echo_out;echo_err_>&2',
    'run --rm IMAGE sh -c kill_-9_$$',
    'run --rm IMAGE sh -c exit_130',
    'run -it --rm IMAGE true',
    'run --rm --dns 127.0.0.1 IMAGE true',
    'create --pull bad IMAGE',
    'create --pull never nosuch',
    'tag nosuch x',
    'tag IMAGE UPPER',
    'rmi nosuch also/nosuch:x',
    'volume rm nosuch data',
    'volume create -d nosuch v',
    'volume create --name a b',
    'network create bridge',
    'network create --subnet 10.99.0.0/24 --gateway 10.98.0.1 n2',
    'pull UPPER',
    'pull -a IMAGE',
    'pull',
    'events --since bad',
    'events --format {{.Nope}}',
    'events --format {{.Nope',
    'events -f nope',
    'events --since 1h --until 0s -f type=volume -f volume=vol2 --format {{.Type}}_{{.Action}}_{{.Actor.ID}}_{{.Actor.Attributes.driver}}_{{.Actor.Attributes.zz}}',
    'stats --no-stream nosuch',
    'stats --no-stream --format {{.Nope}} web',
    'stats --no-stream --format table_{{.Name}}\\t{{.ID}} web',
    'info -f {{.Nope}}',
    'version -f {{.Server.Os}}_{{.Client.Os}}',
    'version x',
  ])('%s', async (line) => {
    const [ours, theirs] = await same(line);
    // Progress goes to stderr here, so that stdout is the result alone.
    const sorted = (one: ToolResult) => ({ ...one, stdout: one.stdout.split('\n').sort().join('\n') });
    if (line.startsWith('pull -a'))
      expect({ ...ours, stdout: '', stderr: '' }).toEqual({ ...theirs, stdout: '', stderr: '' });
    // The docker CLI walks the repositories of one image in the order of a Go map, another one each time.
    else if (line.startsWith('images -q')) expect(sorted(ours)).toEqual(sorted(theirs));
    else expect(ours).toEqual(theirs);
  });
});

/** One suite for both clients (undici and node:net) against a real engine (test/e2e/cli-target.ts). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineEvent, FrameDecoder, type ProgressMessage } from '../../src/api/index.ts';
import { createFastClient } from '../../src/client/fast.ts';
import { createClient, parseHost, type RawEngineClient, statusOf } from '../../src/client/index.ts';
import type { HijackedStream } from '../../src/client/types.ts';
import { TARGETS, type Target } from '../e2e/cli-target.ts';
import { isRoot } from '../fixtures/engine.ts';

/** stdout and stderr of a hijacked stream until its end. */
async function drain({ socket, multiplexed }: HijackedStream): Promise<{ stdout: string; stderr: string }> {
  const got = { stdout: '', stderr: '' };
  const decoder = new FrameDecoder((type, data) => {
    if (type === 2) got.stderr += data.toString();
    else got.stdout += data.toString();
  });
  for await (const chunk of socket) {
    if (multiplexed) decoder.push(chunk as Buffer);
    else got.stdout += (chunk as Buffer).toString();
  }
  return got;
}

describe.skipIf(!isRoot)('client contract (needs root)', () => {
  describe.each(TARGETS)('%s', (_name, start) => {
    let target: Target;
    beforeAll(async () => {
      target = await start();
    });
    afterAll(() => target?.stop());

    describe.each([
      ['undici', createClient],
      ['plain socket', createFastClient],
    ])('%s', (label, create) => {
      let client: RawEngineClient;
      const made: string[] = [];
      beforeAll(() => {
        client = create(parseHost(target.host, 'host flag'));
      });
      afterAll(async () => {
        for (const id of made)
          await client
            .getContainer(id)
            .remove({ force: true, v: true })
            .catch(() => undefined);
        await client.close();
      });
      const container = async (Cmd: string[], more: object = {}) => {
        const { Id } = await client.createContainer({ Image: target.image, Cmd, ...more });
        made.push(Id);
        return client.getContainer(Id);
      };

      it('negotiates a version and says where it is', async () => {
        const { apiVersion, osType } = await client.ping();
        expect(apiVersion).toMatch(/^1\.\d+$/);
        expect(osType).toBe('linux');
        expect(client.host).toBe(target.host);
        expect((await client.version()).ApiVersion).toMatch(/^1\./);
        expect((await client.info()).OSType).toBe('linux');
      });

      it('pulls with progress, and the image is there', async () => {
        const messages: ProgressMessage[] = [];
        for await (const message of client.pull(target.image)) messages.push(message);
        expect(messages.some((message) => message.status?.startsWith('Status: '))).toBe(true);
        expect((await client.listImages()).flatMap((image) => image.RepoTags)).toContain(target.image);
        expect((await client.getImage(target.image).inspect()).Id).toMatch(/^sha256:/);
        expect((await client.getImage(target.image).history()).length).toBeGreaterThan(0);
      });

      it('turns an error line of a pull, and a missing object, into failures with a status', async () => {
        const missing = async () => {
          for await (const _ of client.pull(`${target.image.split('/')[0]}/library/nothing:here`)) void _;
        };
        await expect(missing()).rejects.toThrow(/nothing/);
        const failure = await client
          .getContainer('no-such-one')
          .inspect()
          .catch((error: unknown) => error);
        expect(statusOf(failure)).toBe(404);
        expect((failure as Error).message).toBe('No such container: no-such-one');
        const refused = await client
          .getContainer('no-such-one')
          .attach({ stdout: true })
          .catch((error: unknown) => error);
        expect(statusOf(refused)).toBe(404);
      });

      it('attaches, waits and starts without losing output or exit code; stdin half-closes', async () => {
        const one = await container(['sh', '-c', 'cat; echo err >&2; exit 3'], {
          OpenStdin: true,
          StdinOnce: true,
          AttachStdin: true,
        });
        const stream = await one.attach({ stdin: true, stdout: true, stderr: true });
        const wait = await one.wait({ condition: 'next-exit' });
        await one.start();
        stream.socket.end('typed\n');
        expect(await drain(stream)).toEqual({ stdout: 'typed\n', stderr: 'err\n' });
        expect((await wait.result).StatusCode).toBe(3);
      });

      it('gives a terminal raw, and resizes it', async () => {
        const one = await container(['sh', '-c', 'read x; stty size; echo "got $x"'], {
          OpenStdin: true,
          StdinOnce: true,
          AttachStdin: true,
          Tty: true,
        });
        const stream = await one.attach({ stdin: true, stdout: true, stderr: true });
        await one.start();
        await one.resize(33, 77);
        stream.socket.write('hello\n');
        const { stdout } = await drain({ ...stream, multiplexed: false });
        expect(stdout).toContain('33 77\r\n');
        expect(stdout).toContain('got hello\r\n');
      });

      it('reads logs, whole and by tail, and follows to the end', async () => {
        const one = await container(['sh', '-c', 'for i in 1 2 3; do echo $i; done; sleep 0.3; echo 4 >&2']);
        await one.start();
        const followed = await one.logs({ follow: true });
        expect(
          await drain({ socket: followed.body as HijackedStream['socket'], multiplexed: followed.multiplexed }),
        ).toEqual({ stdout: '1\n2\n3\n', stderr: '4\n' });
        const tail = await one.logs({ tail: 1 });
        expect(await drain({ socket: tail.body as HijackedStream['socket'], multiplexed: tail.multiplexed })).toEqual({
          stdout: '',
          stderr: '4\n',
        });
      });

      it('runs commands in a container: output, exit code, stdin, terminal', async () => {
        const one = await container(['sleep', '600']);
        await one.start();
        const exec = await one.exec({
          Cmd: ['sh', '-c', 'cat; echo e >&2; exit 5'],
          AttachStdin: true,
          AttachStdout: true,
          AttachStderr: true,
        });
        const stream = await exec.start({ tty: false });
        stream.socket.end('in\n');
        expect(await drain(stream)).toEqual({ stdout: 'in\n', stderr: 'e\n' });
        expect((await exec.inspect()).ExitCode).toBe(5);
        const tty = await one.exec({ Cmd: ['tty'], AttachStdout: true, AttachStderr: true, Tty: true });
        expect((await drain(await tty.start({ tty: true }))).stdout).toContain('/dev/pts/');
        const top = await one.top();
        expect(top.Processes.some((row) => row.join(' ').includes('sleep 600'))).toBe(true);
      });

      it('samples stats, once and as a stream that can be left', async () => {
        const one = await container(['sleep', '600']);
        await one.start();
        expect((await one.stats({ oneShot: true })).memory_stats.usage).toBeGreaterThan(0);
        let samples = 0;
        for await (const sample of one.statsStream()) {
          expect(sample.cpu_stats.cpu_usage.total_usage).toBeGreaterThan(0);
          if (++samples === 2) break;
        }
        expect(samples).toBe(2);
      });

      it('streams events until the signal ends them', async () => {
        const controller = new AbortController();
        const name = `contract-${label.slice(0, 2)}-${process.pid}`;
        const seen: EngineEvent[] = [];
        const reading = (async () => {
          for await (const event of client.getEvents({ filters: { container: [name] }, signal: controller.signal })) {
            seen.push(event);
            if (event.Action === 'destroy') controller.abort();
          }
        })();
        // The stream is in place once the engine has answered something that was asked after it.
        await client.ping();
        const { Id } = await client.createContainer({ Image: target.image, Cmd: ['true'] }, { name });
        const one = client.getContainer(Id);
        const wait = await one.wait({ condition: 'next-exit' });
        await one.start();
        await wait.result;
        await one.remove({ force: true });
        await expect(reading).rejects.toThrow();
        expect(seen.map((event) => event.Action)).toEqual(
          expect.arrayContaining(['create', 'start', 'die', 'destroy']),
        );
      });

      it('lists by filter, renames, stops, restarts, kills and removes', async () => {
        const one = await container(['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done'], {
          Labels: { contract: label },
        });
        await one.start();
        await one.start();
        const ids = async (filters: Record<string, string[]>) =>
          (await client.listContainers({ all: true, filters })).map((found) => found.Id);
        expect(await ids({ label: [`contract=${label}`], status: ['running'] })).toEqual([one.id]);
        await one.rename(`renamed-${process.pid}`);
        expect((await one.inspect()).Name).toBe(`/renamed-${process.pid}`);
        await one.stop({ t: 5 });
        expect((await one.inspect()).State.ExitCode).toBe(0);
        await one.restart({ t: 5 });
        const wait = await one.wait({ condition: 'not-running' });
        await one.kill({ signal: 'KILL' });
        expect((await wait.result).StatusCode).toBe(137);
        await one.remove({ v: true });
        expect(await ids({ label: [`contract=${label}`] })).toEqual([]);
      });

      it('makes, lists and removes volumes; lists networks', async () => {
        const name = `contract-${process.pid}`;
        expect((await client.createVolume({ Name: name, Labels: { a: 'b' } })).Name).toBe(name);
        expect((await client.listVolumes({ filters: { label: ['a=b'] } })).map((volume) => volume.Name)).toContain(
          name,
        );
        expect((await client.getVolume(name).inspect()).Mountpoint).toContain(name);
        await client.getVolume(name).remove();
        await expect(client.getVolume(name).inspect()).rejects.toThrow('no such volume');
        expect((await client.listNetworks()).map((network) => network.Name)).toEqual(
          expect.arrayContaining(['bridge', 'host', 'none']),
        );
        expect((await client.getNetwork('bridge').inspect()).Driver).toBe('bridge');
      });

      it('tags and untags an image', async () => {
        await client.getImage(target.image).tag({ repo: 'contract/tagged', tag: 'v1' });
        const items = await client.getImage('contract/tagged:v1').remove();
        expect(items).toContainEqual({ Untagged: 'contract/tagged:v1' });
      });
    });
  });
});

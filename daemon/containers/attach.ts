import { DetachScanner } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { messageOf } from '../errors/engine-error.ts';
import { ClientFeed } from './client-feed.ts';
import type { Core } from './core.ts';
import { detachKeysOf } from './detach-keys.ts';
import { readLogs } from './log-reader.ts';
import type { Entry } from './store.ts';
import type { AttachOptions, ClientStream } from './types.ts';

export interface InputTarget {
  write(data: Buffer): Promise<void>;
  /** The client sent everything it had. */
  end(): Promise<void>;
  detached(): void;
}

/** Carries a client's input on in order; with detach keys (tty only) it watches for them. Errors mean that the process is gone. */
export function carryInput(client: ClientStream, keys: Uint8Array | null, target: InputTarget): void {
  const scanner = keys && new DetachScanner(keys);
  let chain: Promise<void> = Promise.resolve();
  let detached = false;
  const next = (work: () => Promise<void>) => {
    chain = chain.then(work).catch(() => {}); // a broken pipe: the process does not read any more
    return chain;
  };
  client.onInput((data) => {
    if (detached) return;
    const { forward, detached: now } = scanner ? scanner.push(data) : { forward: data, detached: false };
    if (now) {
      detached = true;
      return next(async () => {
        if (forward.length > 0) await target.write(forward);
      }).then(() => target.detached());
    }
    return forward.length > 0 ? next(() => target.write(forward)) : undefined;
  });
  client.onInputEnd(() => {
    if (!detached) void next(() => target.end());
  });
}

/** Checked here, streamed by `run`. @throws EngineError 400, 409 */
export function attachTo(
  core: Core,
  entry: Entry,
  options: AttachOptions,
): { tty: boolean; run(client: ClientStream): Promise<void> } {
  const { record } = entry;
  if (record.removing) throw containerErrors.conflict(`container ${record.id} is marked for removal`);
  if (record.status === 'paused') throw containerErrors.paused(record.name, 'attach');
  if (record.status === 'restarting') throw containerErrors.restarting(record.name);
  const keys = detachKeysOf(options.detachKeys);
  return { tty: record.config.Tty, run: (client) => runAttach(core, entry, options, keys, client) };
}

async function runAttach(
  core: Core,
  entry: Entry,
  options: AttachOptions,
  keys: Uint8Array,
  client: ClientStream,
): Promise<void> {
  const { hub } = core.live(entry);
  const { config } = entry.record;
  const feed = new ClientFeed(
    client,
    { stdout: options.stdout, stderr: options.stderr },
    {
      onDrop: () =>
        core.deps.log.warn(
          'an attached client took no output and was dropped: the container keeps no log to feed it from',
          {
            container: entry.record.id,
          },
        ),
    },
  );
  core.emit(entry.record, 'attach');
  if (options.logs) feed.hold();
  if (options.stdin && config.OpenStdin) {
    let ended = false;
    const endOnce = async () => {
      if (ended || !config.StdinOnce || config.Tty) return;
      const stream = await hub.input();
      if (!stream || feed.isOver || ended) return;
      ended = true;
      stream.endInput();
    };
    // With StdinOnce the first client's end is the end of the container's stdin, also when it breaks off.
    client.onClose(() => {
      if (!ended && hub.running && config.StdinOnce && !config.Tty) {
        ended = true;
        void hub.input().then((stream) => stream?.endInput());
      }
    });
    carryInput(client, config.Tty ? keys : null, {
      write: async (data) => {
        const stream = await hub.input();
        if (!feed.isOver) await stream?.write(data);
      },
      end: endOnce,
      detached: () => {
        ended = true;
        core.emit(entry.record, 'detach');
        feed.drop();
      },
    });
  }
  if (options.stream) await hub.join(feed);
  if (options.logs) {
    await replay(core, entry, options, client);
    feed.release();
  }
  if (!options.stream) feed.end();
  await feed.done;
}

async function replay(core: Core, entry: Entry, options: AttachOptions, client: ClientStream): Promise<void> {
  if (entry.record.hostConfig.LogConfig.Type === 'none') return;
  const query = { ...options, follow: false, since: 0n, until: 0n, timestamps: false, details: false, tail: -1 };
  const gone = new AbortController();
  client.onClose(() => gone.abort());
  try {
    await readLogs(
      { logPath: core.paths(entry.record.id).log, isWritten: () => false, ended: gone.signal },
      query,
      (stream, data) => client.send(stream, data),
      gone.signal,
    );
  } catch (error) {
    core.deps.log.debug('log replay ended', { container: entry.record.id, error: messageOf(error) });
  }
}

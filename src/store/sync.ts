/** Keeps the facts true: one list at the start of a connection, then one look-up per event, and a new connection when it ends. */
import type { ContainerSummary, EngineEvent, ImageInspect, ImageSummary } from '../api/index.ts';
import { type EngineClient, isConnectionFailure, statusOf } from '../client/index.ts';
import { type Coalesced, type ContainerFact, type Facts, statusAge, withEntry } from './facts.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** Events that change nothing in a list. */
const QUIET = /^(exec_|top$|attach$|detach$|resize$|archive-path$|copy$|export$|commit$|mount$|unmount$)/;

export interface Sync {
  stop(): void;
  /** Looks the engine up now instead of at the end of the pause. */
  retry(): void;
}

function factOf(summary: ContainerSummary): ContainerFact {
  const age = statusAge(summary.Status);
  return { ...summary, since: age === undefined ? summary.Created * 1000 : Date.now() - age };
}

const imageOf = (image: ImageInspect): ImageSummary => ({
  Id: image.Id,
  ParentId: image.Parent,
  RepoTags: image.RepoTags ?? [],
  RepoDigests: image.RepoDigests ?? [],
  Created: Date.parse(image.Created) / 1000 || 0,
  Size: image.Size,
  SharedSize: -1,
  Labels: image.Config?.Labels ?? null,
  Containers: -1,
});

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The value, or undefined when the engine says that there is none. */
async function found<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Starts the loop. Failures of single look-ups go to `onError`; a lost connection is in the facts. */
export function startSync(client: EngineClient, facts: Coalesced<Facts>, onError: (message: string) => void): Sync {
  const stopping = new AbortController();
  let wake: () => void = () => undefined;
  const busy = new Map<string, boolean>();

  /** One look-up at a time per object: an event during it asks for one more, never for a queue. */
  async function look(key: string, work: () => Promise<void>): Promise<void> {
    if (busy.has(key)) {
      busy.set(key, true);
      return;
    }
    try {
      do {
        busy.set(key, false);
        await work();
      } while (busy.get(key));
    } catch (error) {
      // A connection that broke is told by the loop that keeps it.
      if (!stopping.signal.aborted && !isConnectionFailure(error)) onError(wordsOf(error));
    } finally {
      busy.delete(key);
    }
  }

  /** `key` is an id or a name. A name that has moved is taken from its old owner, for which the engine sends no event. */
  function lookAtImage(key: string): Promise<void> {
    return look(`i${key}`, async () => {
      const image = await found(client.getImage(key).inspect());
      const tags = image?.RepoTags ?? [key];
      const others = [...facts.current().images.values()].filter(
        (one) => one.Id !== image?.Id && one.Id !== key && one.RepoTags?.some((tag) => tags.includes(tag)),
      );
      facts.patch((now) => ({ ...now, images: withEntry(now.images, image?.Id ?? key, image && imageOf(image)) }));
      for (const { Id } of others) void lookAtImage(Id);
    });
  }

  function onEvent(event: EngineEvent): void {
    const id = event.Actor?.ID ?? '';
    if (id === '' || QUIET.test(event.Action)) return;
    if (event.Type === 'container') {
      if (event.Action === 'start' || event.Action === 'destroy')
        facts.patch((now) => {
          const seen = event.Action === 'start' ? (now.starts.get(id) ?? 0) + 1 : undefined;
          return { ...now, starts: withEntry(now.starts, id, seen) };
        });
      void look(`c${id}`, async () => {
        const [summary] = await client.listContainers({ all: true, filters: { id: [id] } });
        facts.patch((now) => ({
          ...now,
          containers: withEntry(now.containers, id, summary && factOf(summary)),
          stats: summary?.State === 'running' ? now.stats : withEntry(now.stats, id, undefined),
        }));
      });
    } else if (event.Type === 'image') {
      void lookAtImage(id);
    } else if (event.Type === 'volume') {
      void look(`v${id}`, async () => {
        const volume = await found(client.getVolume(id).inspect());
        facts.patch((now) => ({ ...now, volumes: withEntry(now.volumes, id, volume) }));
      });
    } else if (event.Type === 'network') {
      void look(`n${id}`, async () => {
        const network = await found(client.getNetwork(id).inspect());
        facts.patch((now) => ({ ...now, networks: withEntry(now.networks, id, network) }));
      });
    }
  }

  async function connection(): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([stopping.signal, ending.signal]);
    try {
      await client.ping(signal);
      const [version, info] = await Promise.all([client.version(), client.info()]);
      const time = Date.parse(String(info['SystemTime'] ?? '')) || Date.now();
      // Events first, lists second: what happens in between is looked up again, and nothing falls between the two.
      const events = client.getEvents({ since: String(Math.floor(time / 1000)), signal })[Symbol.asyncIterator]();
      const first = events.next();
      first.catch(() => undefined);
      const [containers, images, volumes, networks] = await Promise.all([
        client.listContainers({ all: true }),
        client.listImages(),
        client.listVolumes(),
        client.listNetworks(),
      ]);
      const galley = version.Components?.some((component) => component.Name === 'galley');
      facts.patch((now) => ({
        ...now,
        connection: { state: 'connected', message: '' },
        startFailure: '',
        engine: {
          name: galley ? 'galleyd' : version.Platform?.Name || 'dockerd',
          version: version.Version,
          apiVersion: version.ApiVersion,
          hostname: info.Name,
          os: info.OperatingSystem,
          cpus: info.NCPU,
          memory: info.MemTotal,
          connectedAt: Date.now(),
        },
        containers: new Map(containers.map((one) => [one.Id, factOf(one)])),
        images: new Map(images.map((one) => [one.Id, one])),
        volumes: new Map(volumes.map((one) => [one.Name, one])),
        networks: new Map(networks.map((one) => [one.Id, one])),
      }));
      facts.flush();
      for (let next = await first; !next.done; next = await events.next()) onEvent(next.value);
      throw new Error('the engine closed the connection');
    } finally {
      ending.abort();
    }
  }

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!stopping.signal.aborted) {
      try {
        await connection();
      } catch (error) {
        if (stopping.signal.aborted) return;
        const { connection: known } = facts.current();
        if (known.state === 'connected') pause = FIRST_PAUSE_MS;
        const message = wordsOf(error);
        if (known.state !== 'lost' || known.message !== message) {
          facts.patch((now) => ({ ...now, connection: { state: 'lost', message }, stats: new Map() }));
          facts.flush();
        }
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
  void run();
  return {
    stop() {
      stopping.abort();
      wake();
    },
    retry: () => wake(),
  };
}

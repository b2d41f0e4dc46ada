import type { EngineEvent } from '../api/index.ts';
import type { EngineClient } from '../client/types.ts';
import { type FactStore, patched } from './facts.ts';

const RETRY_MS = 1000;
/** Events that change nothing which a list shows. */
const QUIET = /^(exec_|attach|detach|top|resize|export|copy|archive-path)/;

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function loadAll(client: EngineClient, facts: FactStore): Promise<void> {
  const [version, containers, images, volumes] = await Promise.all([
    client.version(),
    client.listContainers({ all: true }),
    client.listImages(),
    client.listVolumes(),
  ]);
  facts.setState({
    engine: `${version.Platform.Name || 'Docker'} ${version.Version}`,
    containers: new Map(containers.map((container) => [container.Id, container])),
    images: new Map(images.map((image) => [image.Id, image])),
    volumes: new Map(volumes.map((volume) => [volume.Name, volume])),
    trouble: '',
  });
}

/** Patches the one object that the event names; never a refresh of everything. */
export async function applyEvent(client: EngineClient, facts: FactStore, event: EngineEvent): Promise<void> {
  const { Type, Action, Actor } = event;
  if (Type === 'container' && !QUIET.test(Action)) {
    const [found] = Action === 'destroy' ? [] : await client.listContainers({ all: true, filters: { id: [Actor.ID] } });
    facts.setState({ containers: patched(facts.getState().containers, Actor.ID, found) });
  } else if (Type === 'volume' && (Action === 'create' || Action === 'destroy')) {
    const found = Action === 'destroy' ? undefined : await client.getVolume(Actor.ID).inspect();
    facts.setState({ volumes: patched(facts.getState().volumes, Actor.ID, found) });
  } else if (Type === 'image') {
    // One image has several names, and a pull may take a name from another: their list is short.
    facts.setState({ images: new Map((await client.listImages()).map((image) => [image.Id, image])) });
  }
}

/**
 * Keeps the facts equal to the engine's until `signal` aborts: subscribes first, then lists, so that nothing falls between. When the
 * engine goes it says so in `trouble`, keeps what it knows, and comes back.
 */
export async function keepInSync(client: EngineClient, facts: FactStore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.ping(signal);
      const events = client.getEvents({ signal });
      await loadAll(client, facts);
      for await (const event of events) await applyEvent(client, facts, event);
      if (!signal.aborted) facts.setState({ trouble: 'the engine closed the connection' });
    } catch (error) {
      if (signal.aborted) return;
      facts.setState({ trouble: words(error) });
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      const stop = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}

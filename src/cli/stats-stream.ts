import { isatty } from 'node:tty';
import type { ContainerStats } from '../api/containers.ts';
import type { RawEngineClient } from '../client/engine.ts';
import { errorText } from './errors.ts';
import type { CliContext } from './types.ts';

interface Subject {
  asked: string;
  id: string;
  name: string;
  sample: ContainerStats | undefined;
}
export interface StatsView {
  subjects: Subject[];
  take(subject: Subject, sample: ContainerStats): void;
  show(): string;
  /** Containers that start later join the table (no names were given). */
  follow: boolean;
}

const EVERY_MS = 500;

/** Draws until the last container is gone (names given) or for ever. */
export async function streamStats(context: CliContext, client: RawEngineClient, view: StatsView): Promise<number> {
  const tty = isatty(1);
  let failed = false;
  const watch = async (subject: Subject): Promise<void> => {
    try {
      for await (const sample of client.getContainer(subject.id || subject.asked).statsStream())
        view.take(subject, sample);
    } catch (error) {
      if (view.follow) return;
      failed = true;
      context.err(`${errorText(error)}\n`);
    } finally {
      view.subjects.splice(view.subjects.indexOf(subject), 1);
    }
  };
  const watching = new Set<Promise<void>>();
  const add = (subject: Subject) => {
    const work = watch(subject).finally(() => watching.delete(work));
    watching.add(work);
  };
  for (const subject of [...view.subjects]) add(subject);
  const draw = () => context.out(tty ? `\x1b[H${view.show().replaceAll('\n', '\x1b[K\n')}\x1b[J` : view.show());
  if (tty) context.out('\x1b[2J');
  const timer = setInterval(draw, tty ? EVERY_MS : EVERY_MS * 2);
  try {
    if (view.follow) {
      for await (const event of client.getEvents({ filters: { type: ['container'], event: ['start'] } })) {
        const subject = {
          asked: event.Actor.ID.slice(0, 12),
          id: event.Actor.ID,
          name: event.Actor.Attributes['name'] ?? '',
          sample: undefined,
        };
        view.subjects.push(subject);
        add(subject);
      }
    } else while (watching.size > 0) await Promise.race(watching);
  } finally {
    clearInterval(timer);
  }
  return failed ? 1 : 0;
}

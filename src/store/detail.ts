/** The one task behind the detail area: a new selection supersedes the old one. Memory stays bounded whatever it reads. */
import { FrameDecoder } from '../api/index.ts';
import { type EngineClient, isConnectionFailure } from '../client/index.ts';
import { cleanLine, styledLine, type TextLine } from './ansi.ts';
import type { Coalesced } from './facts.ts';

export interface DetailState {
  /** What the lines belong to, down to the stream they came from. */
  key: string;
  request: DetailRequest | undefined;
  lines: readonly TextLine[];
  /** Lines that were dropped from the front. */
  dropped: number;
  /** The lines are those of before a restart or a reconnection: the first new one takes their place. */
  stale: boolean;
  ended: boolean;
  error: string;
}

export const NO_DETAIL: DetailState = {
  key: '',
  request: undefined,
  lines: [],
  dropped: 0,
  stale: false,
  ended: false,
  error: '',
};

/** The detail if it is this object's and this kind's, else nothing yet: a frame may be drawn before a new task has begun. */
export const detailFor = (detail: DetailState, kind: string, id: string | undefined): DetailState =>
  detail.request?.kind === kind && detail.request.id === id ? detail : NO_DETAIL;

export const LOG_LINES = 5_000;
const LOG_TAIL = 1_000;
const SETTLE_MS = 40;

export type DetailRequest =
  | { kind: 'logs'; id: string; timestamps: boolean }
  | { kind: 'inspect'; pane: 'containers' | 'images' | 'volumes' | 'networks'; id: string }
  | { kind: 'history'; id: string };

export interface DetailTask {
  /** Shows this; the same request again changes nothing. `undefined` shows nothing. */
  show(request: DetailRequest | undefined, revision?: string): void;
  stop(): void;
}

/** Appends lines, keeping the newest LOG_LINES. */
export function appendLines(state: DetailState, lines: readonly TextLine[]): DetailState {
  const all = state.stale ? [...lines] : [...state.lines, ...lines];
  const over = Math.max(0, all.length - LOG_LINES);
  const dropped = (state.stale ? 0 : state.dropped) + over;
  return { ...state, lines: over > 0 ? all.slice(over) : all, dropped, stale: false };
}

const textLines = (text: string): TextLine[] => text.split('\n').map((line) => ({ text: cleanLine(line) }));

function inspectCall(client: EngineClient, request: { pane: string; id: string }): Promise<unknown> {
  if (request.pane === 'containers') return client.getContainer(request.id).inspect();
  if (request.pane === 'images') return client.getImage(request.id).inspect();
  if (request.pane === 'volumes') return client.getVolume(request.id).inspect();
  return client.getNetwork(request.id).inspect();
}

export function createDetailTask(client: EngineClient, detail: Coalesced<DetailState>): DetailTask {
  let ending = new AbortController();
  let settling: NodeJS.Timeout | undefined;
  let current = '';
  let shown = '';

  async function logs(id: string, timestamps: boolean, key: string, signal: AbortSignal): Promise<void> {
    const stream = await client
      .getContainer(id)
      .logs({ stdout: true, stderr: true, follow: true, tail: LOG_TAIL, timestamps, signal });
    const text = new TextDecoder();
    let rest = '';
    const take = (data: Uint8Array) => {
      const pieces = (rest + text.decode(data, { stream: true })).split('\n');
      rest = pieces.pop() ?? '';
      if (rest.length > 65_536) {
        pieces.push(rest.slice(0, 65_536));
        rest = '';
      }
      if (pieces.length > 0 && !signal.aborted)
        detail.patch((now) => (now.key === key ? appendLines(now, pieces.slice(-LOG_LINES).map(styledLine)) : now));
    };
    const decoder = new FrameDecoder((_type, data) => take(data));
    for await (const chunk of stream.body) {
      if (stream.multiplexed) decoder.push(chunk as Buffer);
      else take(chunk as Buffer);
    }
    if (rest !== '') take(Buffer.from('\n'));
  }

  async function load(request: DetailRequest, key: string, signal: AbortSignal): Promise<void> {
    try {
      if (request.kind === 'logs') await logs(request.id, request.timestamps, key, signal);
      else {
        const lines =
          request.kind === 'inspect'
            ? textLines(JSON.stringify(await inspectCall(client, request), null, 2))
            : (await client.getImage(request.id).history()).map((layer) => ({ text: JSON.stringify(layer) }));
        if (!signal.aborted)
          detail.patch((now) => (now.key === key ? { ...now, lines, dropped: 0, stale: false } : now));
      }
      if (!signal.aborted)
        detail.patch((now) =>
          now.key === key ? { ...now, ended: true, ...(now.stale ? { lines: [], stale: false } : {}) } : now,
        );
    } catch (error) {
      if (signal.aborted) return;
      // What was read before the engine went away stays; that it did is told elsewhere.
      const message = isConnectionFailure(error)
        ? ''
        : cleanLine(error instanceof Error ? error.message : String(error));
      detail.patch((now) => (now.key === key ? { ...now, ended: true, error: message } : now));
    }
  }

  return {
    show(request, revision = '') {
      const what = request ? JSON.stringify(request) : '';
      const key = request ? `${what}${revision}` : '';
      if (key === current) return;
      const same = what !== '' && what === shown;
      current = key;
      shown = what;
      ending.abort();
      ending = new AbortController();
      // The same thing looked at anew stays on the screen until its news are there.
      detail.patch((now) =>
        same ? { ...now, key, stale: true, ended: false, error: '' } : { ...NO_DETAIL, key, request },
      );
      clearTimeout(settling);
      const { signal } = ending;
      // Whoever runs down a list with a held key opens no stream for each row that is passed.
      if (request) settling = setTimeout(() => void load(request, key, signal), SETTLE_MS);
    },
    stop() {
      clearTimeout(settling);
      ending.abort();
    },
  };
}

import type { Readable } from 'node:stream';
import type { ImageDeleteItem, ImageHistoryItem, ImageInspect, ImageSummary, ProgressMessage } from '../api/index.ts';
import { parseReference } from '../api/references.ts';
import { type Core, encodeFilters, jsonLines } from './core.ts';
import { EngineStreamError } from './failure.ts';
import type { EngineClient, ImageHandle } from './types.ts';

type ImagePart = Pick<
  EngineClient,
  'listImages' | 'getImage' | 'pull' | 'push' | 'saveImages' | 'loadImages' | 'importImage'
>;

/** Image names keep their slashes in the path: engines route `/images/a/b/json` by the last segment. */
const path = (name: string, rest = '') => `/images/${name.split('/').map(encodeURIComponent).join('/')}${rest}`;

function imageHandle(core: Core, name: string): ImageHandle {
  return {
    name,
    inspect: () => core.json<ImageInspect>('GET', path(name, '/json')),
    history: () => core.json<ImageHistoryItem[]>('GET', path(name, '/history')),
    tag: ({ repo, tag }) => core.done('POST', path(name, '/tag'), { query: { repo, tag } }),
    remove: (options = {}) =>
      core.json<ImageDeleteItem[]>('DELETE', path(name), {
        query: { force: options.force || undefined, noprune: options.noprune || undefined },
      }),
  };
}

/** Progress lines; one that tells of an error ends the stream as an exception. */
async function* progressOf(body: Readable, fallback: string): AsyncGenerator<ProgressMessage, void, void> {
  for await (const message of jsonLines<ProgressMessage>(body)) {
    if (message.error !== undefined || message.errorDetail) {
      const words = message.errorDetail?.message ?? message.error ?? fallback;
      throw new EngineStreamError(words, message.errorDetail?.code);
    }
    yield message;
  }
}

/** /images. */
export function imageCalls(core: Core): ImagePart {
  return {
    listImages: (options = {}) =>
      core.json<ImageSummary[]>('GET', '/images/json', {
        query: {
          all: options.all || undefined,
          digests: options.digests || undefined,
          filters: encodeFilters(options.filters),
        },
      }),
    getImage: (name) => imageHandle(core, name),
    async *pull(reference, options = {}) {
      const parsed = parseReference(reference);
      const answer = await core.stream('POST', '/images/create', {
        query: {
          fromImage: parsed.name,
          tag: options.allTags ? undefined : (parsed.digest ?? parsed.tag ?? 'latest'),
          platform: options.platform || undefined,
        },
        headers: { 'X-Registry-Auth': Buffer.from(JSON.stringify(options.auth ?? {})).toString('base64url') },
        signal: options.signal,
      });
      yield* progressOf(answer.body, 'pull failed');
    },
    async *push(reference, options = {}) {
      const { name, tag } = parseReference(reference);
      const answer = await core.stream('POST', path(name, '/push'), {
        query: { tag: options.allTags ? undefined : (tag ?? 'latest') },
        headers: { 'X-Registry-Auth': Buffer.from(JSON.stringify(options.auth ?? {})).toString('base64url') },
        signal: options.signal,
      });
      yield* progressOf(answer.body, 'push failed');
    },
    async saveImages(names, options = {}) {
      const answer = await core.stream('GET', '/images/get', { query: { names }, signal: options.signal });
      return answer.body;
    },
    async *loadImages(archive, options = {}) {
      const answer = await core.stream('POST', '/images/load', {
        query: { quiet: options.quiet || undefined },
        stream: archive,
        signal: options.signal,
      });
      yield* progressOf(answer.body, 'load failed');
    },
    async *importImage(source, options = {}) {
      const answer = await core.stream('POST', '/images/create', {
        query: {
          fromSrc: typeof source === 'string' ? source : '-',
          repo: options.repo || undefined,
          tag: options.tag || undefined,
          message: options.message || undefined,
          changes: options.changes ?? [],
          platform: options.platform || undefined,
        },
        ...(typeof source === 'string' ? {} : { stream: source }),
        signal: options.signal,
      });
      yield* progressOf(answer.body, 'import failed');
    },
  };
}

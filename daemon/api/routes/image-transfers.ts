/** Images on the way in and out: pull, push, import, load, save. Progress goes out as JSON lines (field/engine-api.md section 3.4). */
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { ProgressMessage, RegistryAuth } from '../../../src/api/index.ts';
import { imageErrors } from '../../errors/images.ts';
import { EngineError, messageOf } from '../../errors/index.ts';
import type { ImageStore } from '../../images/index.ts';
import type { Context } from '../context.ts';
import { flag } from '../query.ts';
import { write } from '../respond.ts';

const authSchema = z.object({
  username: z.string().optional(),
  password: z.string().optional(),
  serveraddress: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

/** X-Registry-Auth is base64url JSON; Docker ignores what it cannot decode (field/engine-api.md section 1.1). */
export function decodeRegistryAuth(header: string | string[] | undefined): RegistryAuth | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  try {
    return authSchema.parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Progress as JSON lines. The header waits for the first one, so that a refusal before any progress keeps its own status. */
async function streamProgress(
  { res, signal }: Context,
  work: (send: (message: ProgressMessage) => void) => Promise<void>,
): Promise<void> {
  let writing: Promise<unknown> = Promise.resolve();
  const start = () => {
    if (!res.headersSent) res.writeHead(200, { 'Content-Type': 'application/json' });
  };
  const send = (message: ProgressMessage) => {
    start();
    writing = write(res, `${JSON.stringify(message)}\r\n`);
  };
  try {
    await work(send);
  } catch (error) {
    if (!res.headersSent || signal.aborted) throw error;
    const message = messageOf(error);
    send({ errorDetail: { message }, error: message });
  }
  start();
  await writing;
  res.end();
}

export async function pull(images: ImageStore, context: Context): Promise<void> {
  const { req, query, signal } = context;
  const image = query.get('fromImage');
  if (!image) {
    const source = query.get('fromSrc');
    if (source) return importImage(images, source, context);
    throw new EngineError('invalid', 'missing parameter: fromImage names the image to pull');
  }
  await streamProgress(context, (onProgress) =>
    images.pull({
      image,
      tag: query.get('tag') || undefined,
      platform: query.get('platform') || undefined,
      auth: decodeRegistryAuth(req.headers['x-registry-auth']),
      signal,
      onProgress,
    }),
  );
}

export async function push(images: ImageStore, name: string, context: Context): Promise<void> {
  const { req, query, signal } = context;
  await streamProgress(context, (onProgress) =>
    images.push({
      image: name,
      tag: query.get('tag') || undefined,
      auth: decodeRegistryAuth(req.headers['x-registry-auth']),
      signal,
      onProgress,
    }),
  );
}

/** The tar comes as the request's body (`-`) or is fetched from a URL. */
async function importImage(images: ImageStore, source: string, context: Context): Promise<void> {
  const { req, query, signal } = context;
  const url = /^https?:\/\//.test(source) ? source : undefined;
  if (source !== '-' && !url) throw imageErrors.importSource(source);
  await streamProgress(context, async (onProgress) => {
    if (url) onProgress({ status: `Downloading from ${url}` });
    const tar = url ? await images.download(url, signal) : req;
    const status = await images.importTar(tar, {
      repository: query.get('repo') ?? '',
      tag: query.get('tag') ?? '',
      message: query.get('message') || `Imported from ${source}`,
      changes: query.getAll('changes'),
      platform: query.get('platform') || undefined,
      signal,
    });
    onProgress({ status });
  });
  req.resume();
}

export async function load(images: ImageStore, context: Context): Promise<void> {
  const { req, query, signal } = context;
  await streamProgress(context, (onProgress) => images.load(req, { quiet: flag(query, 'quiet'), signal, onProgress }));
  req.resume(); // what an archive that is refused half-way still sends
}

export async function save(images: ImageStore, names: readonly string[], { res, signal }: Context): Promise<void> {
  const archive = await images.save(names);
  res.writeHead(200, { 'Content-Type': 'application/x-tar' });
  await pipeline(archive, res, { signal });
}

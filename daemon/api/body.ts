import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { requestErrors } from '../errors/index.ts';

const LIMIT = 16 * 1024 * 1024;

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > LIMIT) throw requestErrors.bodyTooLarge(LIMIT);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Where JSON ends in `text` and something else begins: the parser's message tells only a position. */
function hasTrailingDocument(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const ch = text[i] as string;
    if (inString) {
      if (ch === '\\') i += 1;
      else if (ch === '"') inString = false;
    } else if (ch === '"') inString = true;
    else if (ch === '{' || ch === '[') depth += 1;
    else if (ch === '}' || ch === ']') {
      depth -= 1;
      if (depth === 0) return text.slice(i + 1).trim() !== '';
    }
  }
  return false;
}

function checkContentType(req: IncomingMessage, empty: boolean): void {
  const type = req.headers['content-type'];
  if (type === undefined || type === '') {
    if (!empty) throw requestErrors.contentType('');
    return;
  }
  if (type.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json' && !empty)
    throw requestErrors.contentType(type);
}

function decode<T>(text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (hasTrailingDocument(text)) throw requestErrors.extraJson();
    throw requestErrors.malformedJson((error as Error).message);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw requestErrors.badField(issue?.path.join('.') || '(body)', issue?.message ?? 'unexpected value');
}

/**
 * The JSON body of a request, checked by `schema`. An empty body is `{}` when `optional`.
 * @throws EngineError 400 with the reason.
 */
export async function readJson<T>(req: IncomingMessage, schema: z.ZodType<T>, optional = false): Promise<T> {
  const text = (await collect(req)).toString('utf8');
  const empty = text.trim() === '';
  checkContentType(req, empty);
  if (empty && !optional) throw requestErrors.emptyBody();
  return decode(empty ? '{}' : text, schema);
}

/**
 * The JSON body of an upgrade request. Up to Node 24 the parser leaves it in `head` and on the socket, mixed with stdin; from
 * Node 26 on it arrives on `req` (nodejs/node#60016). Content-Length tells where it ends; what follows is handed back to the socket.
 */
export async function readUpgradeJson<T>(
  req: IncomingMessage,
  upgrade: { socket: Duplex; head: Buffer },
  schema: z.ZodType<T>,
): Promise<T> {
  const length = Number(req.headers['content-length'] ?? 0);
  if (!Number.isSafeInteger(length) || length < 0 || length > LIMIT) throw requestErrors.bodyTooLarge(LIMIT);
  if (Number(process.versions.node.split('.', 1)[0]) >= 26) {
    const text = (await collect(req)).toString('utf8');
    if (upgrade.head.length > 0) upgrade.socket.unshift(upgrade.head);
    upgrade.head = Buffer.alloc(0);
    return decode(text.trim() === '' ? '{}' : text, schema);
  }
  let have = upgrade.head;
  upgrade.head = Buffer.alloc(0);
  while (have.length < length) {
    const piece = await new Promise<Buffer>((resolve, reject) => {
      const { socket } = upgrade;
      const settle = (done: () => void) => {
        socket.off('readable', onReadable);
        socket.off('end', onEnd);
        socket.off('error', onError);
        done();
      };
      const onReadable = () => {
        const data: Buffer | null = socket.read() as Buffer | null;
        if (data !== null) settle(() => resolve(data));
      };
      const onEnd = () => settle(() => reject(requestErrors.emptyBody()));
      const onError = (error: Error) => settle(() => reject(error));
      socket.on('readable', onReadable);
      socket.on('end', onEnd);
      socket.on('error', onError);
      onReadable();
    });
    have = Buffer.concat([have, piece]);
  }
  const rest = have.subarray(length);
  if (rest.length > 0) upgrade.socket.unshift(rest);
  const text = have.subarray(0, length).toString('utf8');
  return decode(text.trim() === '' ? '{}' : text, schema);
}

/**
 * An object as Go decodes it: field names match whatever their case, null leaves the zero value, unknown fields are ignored
 * (field/engine-api.md section 1.1).
 */
export function goObject<Shape extends z.ZodRawShape>(shape: Shape) {
  const canonical = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  return z.preprocess((value) => {
    if (value === null || value === undefined) return {};
    if (typeof value !== 'object' || Array.isArray(value)) return value;
    const out: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      const name = canonical.get(key.toLowerCase());
      if (name !== undefined && item !== null) out[name] = item;
    }
    return out;
  }, z.object(shape));
}

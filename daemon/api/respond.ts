import type { ServerResponse } from 'node:http';
import { EngineError, messageOf } from '../errors/index.ts';

/** JSON with the newline that Go's encoder writes. */
export function json(res: ServerResponse, status: number, value: unknown): void {
  raw(res, status, `${JSON.stringify(value)}\n`);
}

/** JSON that is already text. */
export function raw(res: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.length });
  res.end(body);
}

export function empty(res: ServerResponse, status: number): void {
  if (status !== 204 && status !== 304) res.setHeader('Content-Length', 0);
  res.writeHead(status);
  res.end();
}

/** The error as the client sees it; before the first byte only. */
export function failure(res: ServerResponse, error: unknown): void {
  const status = error instanceof EngineError ? error.status : 500;
  if (status === 304) empty(res, 304);
  else json(res, status, { message: messageOf(error) || 'galleyd failed without a reason: see its log' });
}

/** Writes and waits while the client is slower than we are. Returns false once the client is gone. */
export async function write(res: ServerResponse, data: string | Buffer): Promise<boolean> {
  if (res.destroyed || res.writableEnded) return false;
  if (res.write(data)) return true;
  return new Promise((resolve) => {
    const done = (alive: boolean) => {
      res.off('drain', onDrain);
      res.off('close', onClose);
      resolve(alive);
    };
    const onDrain = () => done(true);
    const onClose = () => done(false);
    res.on('drain', onDrain);
    res.on('close', onClose);
  });
}

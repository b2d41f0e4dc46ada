import type { EngineFailure } from './types.ts';

/** An answer of the engine with status 400 or more. */
export class EngineRequestError extends Error implements EngineFailure {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'EngineRequestError';
    this.status = status;
  }
}

/** An error line inside a stream whose answer had begun well: the words come without a status, and Docker prints them bare. */
export class EngineStreamError extends EngineRequestError {
  constructor(message: string, status = 500) {
    super(status, message);
    this.name = 'EngineStreamError';
  }
}

/** No engine answers at the endpoint: `host` is where it was looked for, `code` the system's reason (ENOENT, ECONNREFUSED, EACCES). */
export class EngineUnreachableError extends Error {
  readonly host: string;
  readonly code: string;

  constructor(host: string, code: string, cause?: unknown) {
    super(unreachableText(host, code), { cause });
    this.name = 'EngineUnreachableError';
    this.host = host;
    this.code = code;
  }
}

function unreachableText(host: string, code: string): string {
  if (code === 'EACCES' || code === 'EPERM') {
    return `permission denied while trying to connect to the engine at ${host}: run the command as root, or join the group that owns the socket`;
  }
  return `Cannot connect to the engine at ${host}. Is it running? (${code})`;
}

const CONNECT_CODES = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'EACCES',
  'EPERM',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTSOCK',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Turns a failed connect into EngineUnreachableError; everything else passes through as it is. */
export function connectError(host: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CONNECT_CODES.has(code) ? new EngineUnreachableError(host, code, error) : error;
}

/** True where the connection failed and not the request: no engine, or one that went away in between. */
export function isConnectionFailure(error: unknown): boolean {
  if (error instanceof EngineRequestError) return false;
  // ECONNRESET, EPIPE, UND_ERR_SOCKET; a mistake of a program has a code that begins with ERR_.
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof EngineUnreachableError || /^(E[A-Z]+|UND_ERR_\w+)$/.test(code);
}

/** The `status` of an engine's error answer, or undefined for any other failure. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof EngineRequestError ? error.status : undefined;
}

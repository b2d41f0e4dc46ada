/**
 * The one error type that crosses a domain boundary. Clients branch on the status and the docker CLI on the text
 * (field/engine-api.md sections 0.6 and 1.1), so both live in the catalogue of this folder, a file per domain.
 */
export type ErrorKind =
  | 'invalid' // 400
  | 'unauthorized' // 401
  | 'forbidden' // 403
  | 'notFound' // 404
  | 'conflict' // 409
  | 'notModified' // 304, no body
  | 'notImplemented' // 501
  | 'unavailable' // 503
  | 'system'; // 500

export const STATUS_OF: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  notModified: 304,
  notImplemented: 501,
  unavailable: 503,
  system: 500,
};

export class EngineError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EngineError';
    this.kind = kind;
  }

  get status(): number {
    return STATUS_OF[this.kind];
  }
}

/** The words of anything thrown, for logs and for wrapping. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

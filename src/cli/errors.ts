/** What a person reads when a command fails, and the exit code it fails with. */
import { EngineRequestError, EngineStreamError, EngineUnreachableError } from '../client/failure.ts';

/** Docker's code for a --format of inspect or events that cannot be read. */
export const BAD_FORMAT = 64;

/** Ends a command with this code; the message (if any) goes to stderr as it is. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code: number;

  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

/** The words for an error, without a prefix: the engine's own behind `Error response from daemon: `. */
export function errorText(error: unknown): string {
  if (error instanceof EngineRequestError && !(error instanceof EngineStreamError))
    return `Error response from daemon: ${error.message}`;
  if (error instanceof EngineUnreachableError) return error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Docker's mapping of a failed start to an exit code: not found 127, not executable 126, everything else 125. */
export function startFailureCode(error: unknown): number {
  if (!(error instanceof Error)) return 125;
  const words = error.message;
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(words))
    return 127;
  if (/permission denied|is a directory/.test(words) && error instanceof EngineRequestError) return 126;
  return 125;
}

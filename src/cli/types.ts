/** The shapes of the command line: one table of commands feeds parsing, help, completion and the docs. */

import type { Endpoint } from '../client/endpoint.ts';
import type { RawEngineClient } from '../client/engine.ts';

/** How a flag's value reads; the names are the ones Docker's help shows. */
export type FlagType =
  | 'bool'
  | 'string'
  | 'int'
  | 'list'
  | 'map'
  | 'filter'
  | 'bytes'
  | 'decimal'
  | 'duration'
  | 'mount'
  | 'network'
  | 'ulimit';

export interface FlagSpec {
  name: string;
  short?: string;
  type: FlagType;
  help: string;
  /** Shown in help when it is not the type's zero. */
  default?: string;
  /** @throws Error whose message follows `invalid argument "x" for "--flag" flag: `. */
  check?: (value: string) => void;
  /** Accepted but not shown: a former name. */
  hidden?: boolean;
  /** The flag that took its place, said to whoever still uses this one. */
  instead?: string;
  /** The API version that brought it: an older engine would not see it. */
  since?: string;
}

export interface CommandSpec {
  /** Full path without the program: `ps`, `volume ls`. */
  name: string;
  /** Other full paths that mean the same: `container ls`, `container ps`. */
  aliases?: readonly string[];
  summary: string;
  /** What follows the name in the usage line: `[OPTIONS] CONTAINER [CONTAINER...]`. */
  usage: string;
  args: { min: number; max: number };
  flags: readonly FlagSpec[];
  /** False: everything from the first argument on belongs to the command inside (`run`, `exec`, `top`). */
  interspersed?: boolean;
  examples?: readonly [command: string, meaning: string][];
  /** For programs: no help, completion or documentation tells of it. */
  hidden?: boolean;
  /** galley's own verb: usage errors exit 2. */
  own?: boolean;
  /** Arguments that name objects, for completion. */
  completes?: 'containers' | 'running' | 'images' | 'volumes' | 'networks';
  load: () => Promise<CommandModule>;
}

interface CommandModule {
  /** Resolves with the exit code. Errors it throws are printed by the caller (`errors.ts`). */
  run(context: CliContext, args: ParsedArgs): Promise<number>;
}

/** Typed access to parsed flags; a name that the command's table lacks is a mistake in the code and throws. */
export interface ParsedArgs {
  readonly command: CommandSpec;
  readonly positionals: readonly string[];
  has(name: string): boolean;
  bool(name: string): boolean;
  string(name: string): string;
  number(name: string): number | undefined;
  list(name: string): string[];
}

export interface GlobalFlags {
  host?: string;
  context?: string;
  config?: string;
  debug: boolean;
  tls?: boolean;
  tlsverify?: boolean;
  tlscacert?: string;
  tlscert?: string;
  tlskey?: string;
}

export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  readonly globals: GlobalFlags;
  readonly endpoint: Endpoint;
  /** The command table: handed in, because a command's module cannot import the table that loads it. */
  readonly commands: readonly CommandSpec[];
  /** The command line as typed after the program's name, for messages. */
  readonly invoked: string;
  /** The client, made at the first call. `start` starts a galleyd when none answers (only `run` may ask for it). */
  client(options?: { start?: boolean }): Promise<RawEngineClient>;
  /** Writes to stdout at once; ends the process quietly when the reader is gone. */
  out(text: string): void;
  err(text: string): void;
}

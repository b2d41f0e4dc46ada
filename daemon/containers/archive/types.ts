import type { Readable } from 'node:stream';
import type { LaidOver } from '../../system/private-root.ts';

/** What the API tells of a path; `mode` as Go's os.FileMode has it (field/engine-api.md section 1.3). */
export interface PathStat {
  name: string;
  size: number;
  mode: number;
  mtime: string;
  linkTarget: string;
}

export interface Packed {
  /** Of a copied path; null for an export. */
  stat: PathStat | null;
  /** Fails when the copy does. Destroying it ends the copy. */
  tar: Readable;
}

export interface ExtractOptions {
  /** A folder never takes the place of a file, nor the other way round. */
  keepKinds: boolean;
  /** Everything belongs to this user, whatever the archive says. */
  owner: { uid: number; gid: number } | null;
}

export type ArchiveJob =
  | { kind: 'stat'; path: string }
  /** Writes a tar to `fd`. */
  | { kind: 'pack'; path: string; fd: number }
  /** The whole root, without what is mounted into it. */
  | { kind: 'export'; fd: number }
  /** Reads a tar from `fd`. */
  | { kind: 'extract'; path: string; fd: number; options: ExtractOptions };

export interface ArchiveWork {
  /** Where the container's root is mounted. */
  root: string;
  mounts: (LaidOver & { readOnly: boolean })[];
  readOnlyRoot: boolean;
  job: ArchiveJob;
}

/** Answers of the worker: first what the path is, at the end that all is done, or why not. */
export type ArchiveAnswer =
  | { stat: PathStat }
  | { done: true }
  /** `code` of the system call, or '' for a refusal of ours. */
  | { failed: string; code: string };

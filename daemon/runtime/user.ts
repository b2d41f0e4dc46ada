import { closeSync, constants, lstatSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { EngineError } from '../errors/engine-error.ts';

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
}

/** A file of the container's root; a symlink could point to the host's own, so it is not followed. */
function readInRoot(rootfs: string, file: string): string {
  try {
    if (!lstatSync(path.join(rootfs, 'etc')).isDirectory()) return '';
    const fd = openSync(path.join(rootfs, file), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  } catch {
    return ''; // an image without passwd or group: numbers still work
  }
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
const isNumber = (text: string): boolean => /^\d+$/.test(text);

/**
 * `user[:group]`, names looked up in the container's own files (field/engine-api.md section 2.2).
 * @throws EngineError `unable to find user x: no matching entries in passwd file`
 */
export function resolveUser(rootfs: string, user: string, groupAdd: readonly string[]): ResolvedUser {
  const passwd = rows(readInRoot(rootfs, 'etc/passwd'));
  const groups = rows(readInRoot(rootfs, 'etc/group'));
  const [name = '', group = ''] = user.split(':', 2);
  const entry =
    passwd.find((row) => (name === '' ? row[2] === '0' : row[0] === name)) ??
    (isNumber(name) ? passwd.find((row) => row[2] === name) : undefined);
  if (!entry && name !== '' && !isNumber(name))
    throw new EngineError('invalid', `unable to find user ${name}: no matching entries in passwd file`);
  const uid = Number(entry?.[2] ?? (name || 0));
  const gidOf = (wanted: string): number => {
    const found = groups.find((row) => row[0] === wanted);
    if (found) return Number(found[2]);
    if (isNumber(wanted)) return Number(wanted);
    throw new EngineError('invalid', `unable to find group ${wanted}: no matching entries in group file`);
  };
  const gid = group === '' ? Number(entry?.[3] ?? 0) : gidOf(group);
  const supplementary =
    group === '' && entry
      ? groups.filter((row) => row[3]?.split(',').includes(entry[0] as string)).map((row) => Number(row[2]))
      : [];
  return { uid, gid, additionalGids: [...new Set([gid, ...supplementary, ...groupAdd.map(gidOf)])] };
}

import { runtimeErrors } from '../errors/runtime.ts';
import { readFileInRoot } from '../system/scoped-open.ts';

export interface ResolvedUser {
  uid: number;
  gid: number;
  additionalGids: number[];
}

const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));
/** @throws EngineError for what the kernel would take for another id */
function toId(text: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || id > 2 ** 31 - 1) throw runtimeErrors.badId();
  return id;
}
const isNumber = (text: string): boolean => /^\d+$/.test(text);

/**
 * `user[:group]`, names looked up in the container's own files (field/engine-api.md section 2.2).
 * @throws EngineError `unable to find user x: no matching entries in passwd file`
 */
export function resolveUser(rootfs: string, user: string, groupAdd: readonly string[]): ResolvedUser {
  const passwd = rows(readFileInRoot(rootfs, '/etc/passwd') ?? '');
  const groups = rows(readFileInRoot(rootfs, '/etc/group') ?? '');
  const [name = '', group = ''] = user.split(':', 2);
  const entry =
    passwd.find((row) => (name === '' ? row[2] === '0' : row[0] === name)) ??
    (isNumber(name) ? passwd.find((row) => row[2] === name) : undefined);
  if (!entry && name !== '' && !isNumber(name)) throw runtimeErrors.unknownUser(name);
  const uid = toId(entry?.[2] ?? (name || '0'));
  const gidOf = (wanted: string): number => {
    const found = groups.find((row) => row[0] === wanted);
    if (found) return toId(found[2] ?? '');
    if (isNumber(wanted)) return toId(wanted);
    throw runtimeErrors.unknownGroup(wanted);
  };
  const gid = group === '' ? Number(entry?.[3] ?? 0) : gidOf(group);
  const supplementary =
    group === '' && entry
      ? groups.filter((row) => row[3]?.split(',').includes(entry[0] as string)).map((row) => Number(row[2]))
      : [];
  return { uid, gid, additionalGids: [...new Set([gid, ...supplementary, ...groupAdd.map(gidOf)])] };
}

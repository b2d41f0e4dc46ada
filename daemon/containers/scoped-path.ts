import { chmod, lstat, mkdir, readlink } from 'node:fs/promises';
import path from 'node:path';

const MAX_LINKS = 40;

/**
 * Resolves `target` as the container would, with symlinks taken inside `root`, so that a link to /etc of an image never
 * leads to the host's. Parts that do not exist are kept as they are.
 * @throws Error when links go round in a circle
 */
export async function resolveInRoot(root: string, target: string): Promise<string> {
  const pending = target.split('/').filter((part) => part !== '' && part !== '.');
  let at: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const part = pending.shift() as string;
    if (part === '..') {
      at.pop();
      continue;
    }
    const here = path.join(root, ...at, part);
    let link: string | undefined;
    try {
      if ((await lstat(here)).isSymbolicLink()) link = await readlink(here);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    }
    if (link === undefined) {
      at.push(part);
      continue;
    }
    if ((links += 1) > MAX_LINKS) throw new Error(`too many symbolic links in ${target}`);
    if (link.startsWith('/')) at = [];
    pending.unshift(...link.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return path.join(root, ...at);
}

/** mkdir -p where every folder that it makes is 0755, whatever the daemon's umask (077) says. @throws Error when a file is in the way */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= first.length; at = path.dirname(at)) await chmod(at, 0o755);
}

/** The same inside a container's root. */
export async function makeFolderInRoot(root: string, target: string): Promise<void> {
  await makeFolder(await resolveInRoot(root, target));
}

/** Whether this host mounts EROFS images from the data root, found out by doing it (field/erofs.md section 5). */
import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../errors/engine-error.ts';
import { MNT_DETACH, MS, mount, unmount } from '../../system/syscalls.ts';
import { LayerImage } from './image.ts';

const CONTENT = 'galley\n';

/** A tar with one file, made by hand: a header, a block of content, the two blocks that end it. */
function tinyTar(): Buffer {
  const header = Buffer.alloc(512);
  header.write('probe', 0);
  for (const [text, at] of [
    ['0000644\0', 100],
    ['0000000\0', 108],
    ['0000000\0', 116],
    [`${CONTENT.length.toString(8).padStart(11, '0')}\0`, 124],
    ['00000000000\0', 136],
    ['        0', 148],
    ['ustar\x0000', 257],
  ] as const)
    header.write(text, at, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const content = Buffer.alloc(512);
  content.write(CONTENT);
  return Buffer.concat([header, content, Buffer.alloc(1024)]);
}

/** Mounts an EROFS image file read-only. @throws SyscallError */
export function mountImage(file: string, target: string): void {
  mount(file, target, 'erofs', MS.RDONLY);
}

function overlay(folder: string, name: string, lower: string): string {
  const at = path.join(folder, name);
  const merged = path.join(at, 'merged');
  for (const part of ['upper', 'work', 'merged']) mkdirSync(path.join(at, part), { recursive: true });
  const back = process.cwd();
  process.chdir(folder);
  try {
    mount(
      'overlay',
      merged,
      'overlay',
      0,
      `lowerdir=${path.relative(folder, lower)},upperdir=${name}/upper,workdir=${name}/work`,
    );
  } finally {
    process.chdir(back);
  }
  return merged;
}

/**
 * Mounts a tiny image, an overlay over it, and an overlay over that, as a docker in a container would; reads through all of them.
 * Some kernels count an image file in the depth of stacked file systems, so only the nested overlay tells.
 * @returns '' when it works, else why not.
 */
export function probeErofs(dataRoot: string): string {
  const folder = path.join(dataRoot, `.probe-erofs-${process.pid}`);
  const mounted: string[] = [];
  try {
    mkdirSync(path.join(folder, 'fs'), { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
    const file = path.join(folder, 'tiny.erofs');
    const image = new LayerImage(file);
    image.take(tinyTar(), true);
    image.finish(Buffer.alloc(16));
    image.close();
    const fs = path.join(folder, 'fs');
    mountImage(file, fs);
    mounted.push(fs);
    mounted.push(overlay(folder, 'a', fs));
    mounted.push(overlay(folder, 'b', mounted[1] as string));
    for (const at of mounted)
      if (readFileSync(path.join(at, 'probe'), 'utf8') !== CONTENT) return 'a file read back wrong';
    return '';
  } catch (error) {
    return messageOf(error);
  } finally {
    for (const at of mounted.reverse()) unmount(at, MNT_DETACH);
    rmSync(folder, { recursive: true, force: true });
  }
}

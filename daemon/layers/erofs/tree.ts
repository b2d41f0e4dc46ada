/**
 * The tree of a layer, built from its tar entries and kept in memory until the whole tar is there. It follows the rules of the
 * unpacker to the letter, so that a layer looks the same whichever driver holds it (field/erofs.md).
 */

import { checkedName, isLayerAttribute, OPAQUE, partsOf, whiteoutOf } from '../tar-names.ts';
import { type TarEntry, TarError, type TarSink } from '../tar-reader.ts';

/** A layer that is good but that EROFS cannot hold: it is unpacked instead. */
export class UnfitError extends Error {}

export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;
const FORMATS = {
  file: S_IFREG,
  directory: S_IFDIR,
  symlink: S_IFLNK,
  char: S_IFCHR,
  block: S_IFBLK,
  fifo: S_IFIFO,
} as const;
const MAX_SYMLINKS = 40;
const OPAQUE_ATTRIBUTE = 'trusted.overlay.opaque';
/** Lengths of attribute values are 16 bits wide on disk. */
const MAX_ATTRIBUTE = 65535;

/** An inode. */
export interface TreeNode {
  /** With the file type. */
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
  mtimeNs: number;
  nlink: number;
  rdev: number;
  size: number;
  /** Where a regular file's content begins, in bytes from the start of the tar. */
  dataAt: number;
  link: string;
  attributes: Map<string, Buffer> | undefined;
  /** Of a folder. */
  children: Map<string, TreeNode> | undefined;
  /** Of a folder, which has one name only. */
  parent: TreeNode | undefined;
  name: string;
}

export const isFolder = (node: TreeNode | undefined): node is TreeNode & { children: Map<string, TreeNode> } =>
  node?.children !== undefined;

function makeNode(mode: number, parent: TreeNode | undefined, name: string): TreeNode {
  const folder = (mode & S_IFMT) === S_IFDIR;
  return {
    mode,
    uid: 0,
    gid: 0,
    mtime: 0,
    mtimeNs: 0,
    nlink: folder ? 2 : 1,
    rdev: 0,
    size: 0,
    dataAt: 0,
    link: '',
    attributes: undefined,
    children: folder ? new Map() : undefined,
    parent: folder ? parent : undefined,
    name,
  };
}

/** The kernel's 32-bit device number (new_encode_dev). */
function deviceNumber(major: number, minor: number): number {
  if (major > 0xfff || minor > 0xfffff) throw new UnfitError('a device number that does not fit');
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export class LayerTree implements TarSink {
  readonly root = makeNode(S_IFDIR | 0o755, undefined, '');
  readonly #whiteouts: { folder: TreeNode; name: string }[] = [];
  /** Bytes of file content so far. */
  size = 0;
  /** The entry at work, for error messages. */
  current = '';

  /** @throws TarError when the entry is refused; UnfitError when EROFS cannot hold it. */
  entry(entry: TarEntry): void {
    this.current = entry.name;
    if (entry.sparse) throw new UnfitError('a sparse file');
    const parts = partsOf(entry.name);
    const base = parts.pop();
    if (base === undefined) {
      if (entry.type === 'directory') this.#describe(this.root, entry);
      return;
    }
    const folder = this.#folder(parts, entry.name, true) as TreeNode;
    if (base === OPAQUE) {
      this.#makeOpaque(folder);
      return;
    }
    const hidden = whiteoutOf(base, entry.name);
    if (hidden !== undefined) {
      if (hidden !== '') this.#whiteouts.push({ folder, name: checkedName(hidden, entry.name) });
      return;
    }
    checkedName(base, entry.name);
    if (entry.type === 'hardlink') this.#hardLink(folder, base, entry);
    else this.#put(folder, base, entry);
  }

  /** The content stays in the tar, which is part of the image. */
  data(chunk: Buffer): void {
    this.size += chunk.length;
  }

  endFile(): void {}

  /** Turns the whiteouts into what overlayfs understands: they speak of the layers below only, so what this layer brings stays. */
  finish(): void {
    for (const { folder, name } of this.#whiteouts) {
      if (folder.attributes?.has(OPAQUE_ATTRIBUTE)) continue;
      const own = folder.children?.get(name);
      if (isFolder(own)) this.#makeOpaque(own);
      else if (!own) folder.children?.set(name, makeNode(S_IFCHR, folder, name));
    }
  }

  #makeOpaque(folder: TreeNode): void {
    (folder.attributes ??= new Map()).set(OPAQUE_ATTRIBUTE, Buffer.from('y'));
  }

  /** The folder behind `parts`: symlinks of this layer are followed as if its top were `/`; missing folders are made, or give undefined. */
  #folder(parts: readonly string[], entryName: string, create: boolean, depth = 0): TreeNode | undefined {
    if (depth > MAX_SYMLINKS) throw new TarError(`entry ${JSON.stringify(entryName)} passes too many symlinks`);
    let at = this.root;
    for (const [index, part] of parts.entries()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        at = at.parent ?? at;
        continue;
      }
      const next = at.children?.get(part);
      if (isFolder(next)) {
        at = next;
        continue;
      }
      if (next && (next.mode & S_IFMT) === S_IFLNK) {
        const from = next.link.startsWith('/') ? [] : this.#pathOf(at);
        const rest = [...from, ...next.link.split('/'), ...parts.slice(index + 1)];
        return this.#folder(rest, entryName, create, depth + 1);
      }
      if (next)
        throw new TarError(
          `entry ${JSON.stringify(entryName)} passes through ${JSON.stringify(part)}, which is no folder`,
        );
      if (!create) return undefined;
      const made = makeNode(S_IFDIR | 0o755, at, checkedName(part, entryName));
      this.#set(at, part, made);
      at = made;
    }
    return at;
  }

  #pathOf(folder: TreeNode): string[] {
    const parts: string[] = [];
    for (let at: TreeNode | undefined = folder; at?.parent; at = at.parent) parts.unshift(at.name);
    return parts;
  }

  #set(folder: TreeNode, name: string, node: TreeNode): void {
    const old = folder.children?.get(name);
    if (old) this.#drop(old, folder);
    folder.children?.set(name, node);
    if (isFolder(node)) folder.nlink += 1;
  }

  /** Takes away one name of a node, with everything below it. */
  #drop(node: TreeNode, folder: TreeNode): void {
    node.nlink -= 1;
    if (!isFolder(node)) return;
    folder.nlink -= 1;
    for (const child of node.children.values()) this.#drop(child, node);
  }

  #hardLink(folder: TreeNode, base: string, entry: TarEntry): void {
    const parts = partsOf(entry.link);
    const name = parts.pop();
    if (name === undefined) throw new TarError(`entry ${JSON.stringify(entry.name)} is a hard link to the root`);
    const target = this.#folder(parts, entry.name, false)?.children?.get(name);
    if (!target || isFolder(target))
      throw new TarError(
        `entry ${JSON.stringify(entry.name)} is a hard link to ${JSON.stringify(entry.link)}, which is no file of the layer`,
      );
    if (folder.children?.get(base) === target) return;
    target.nlink += 1;
    this.#set(folder, base, target);
  }

  #put(folder: TreeNode, base: string, entry: TarEntry): void {
    const format = FORMATS[entry.type as keyof typeof FORMATS];
    const old = folder.children?.get(base);
    if (format === S_IFDIR && isFolder(old)) {
      this.#describe(old, entry);
      return;
    }
    const node = makeNode(format, folder, base);
    this.#set(folder, base, node);
    this.#describe(node, entry);
  }

  #describe(node: TreeNode, entry: TarEntry): void {
    const format = node.mode & S_IFMT;
    // A symlink's own mode means nothing, and every file system shows 0777.
    node.mode = format | (format === S_IFLNK ? 0o777 : entry.mode);
    node.uid = entry.uid;
    node.gid = entry.gid;
    node.mtime = entry.mtime;
    node.mtimeNs = entry.mtimeNs;
    if (format === S_IFREG) {
      node.size = entry.size;
      node.dataAt = entry.dataAt;
    } else if (format === S_IFLNK) {
      if (entry.link === '' || entry.link.length > 4095)
        throw new TarError(`entry ${JSON.stringify(entry.name)} is a symlink to ${entry.link.length} bytes`);
      node.link = entry.link;
      node.size = entry.link.length;
    } else if (format === S_IFCHR || format === S_IFBLK) node.rdev = deviceNumber(entry.major, entry.minor);
    for (const [name, value] of entry.xattrs) {
      if (!isLayerAttribute(name)) continue;
      // No file system gives user attributes to anything but files and folders.
      if (name.startsWith('user.') && format !== S_IFREG && format !== S_IFDIR) continue;
      if (value.length > MAX_ATTRIBUTE) throw new UnfitError(`the attribute ${name} of ${value.length} bytes`);
      (node.attributes ??= new Map()).set(name, value);
    }
  }
}

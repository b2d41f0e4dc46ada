/**
 * The on-disk format of EROFS as far as a layer needs it (Linux Documentation/filesystems/erofs.rst and fs/erofs/erofs_fs.h):
 * extended inodes, plain and inline data, inline attributes. The image is `[4 KiB with the superblock][the tar as it came][metadata]`
 * in blocks of 512 bytes, tar's own, so that each file's content is used where it lies in the tar.
 */
import {
  isFolder,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  type TreeNode,
  UnfitError,
} from './tree.ts';

/** Where the tar begins in the image. */
export const TAR_AT = 4096;
const SUPERBLOCK_AT = 1024;
const BLOCK = 512;
const BLOCK_BITS = 9;
const PAGE = 4096;
const INODE = 64;
const SLOT = 32;
const DIRENT = 12;
const MAGIC = 0xe0f5e1e2;
const FEATURE_MTIME = 2;
const PLAIN = 0;
const INLINE = 2;
const FILE_TYPES: Readonly<Record<number, number>> = {
  [S_IFREG]: 1,
  [S_IFDIR]: 2,
  [S_IFCHR]: 3,
  [S_IFBLK]: 4,
  [S_IFIFO]: 5,
  [S_IFLNK]: 7,
};

/** Attribute names are stored as the number of their prefix and the rest. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

const alignTo = (value: number, unit: number) => Math.ceil(value / unit) * unit;

function splitAttribute(name: string): [index: number, rest: string] {
  for (const [prefix, index] of PREFIXES) if (name.startsWith(prefix)) return [index, name.slice(prefix.length)];
  throw new UnfitError(`the attribute ${name}`);
}

function attributesSize(node: TreeNode): number {
  if (!node.attributes || node.attributes.size === 0) return 0;
  let size = 12;
  for (const [name, value] of node.attributes) {
    const [, rest] = splitAttribute(name);
    if (rest.length > 255) throw new UnfitError(`an attribute with a name of ${name.length} bytes`);
    size = alignTo(size + 4 + rest.length + value.length, 4);
  }
  if ((size - 12) / 4 + 1 > 0xffff) throw new UnfitError(`${size} bytes of attributes on one file`);
  return size;
}

function writeAttributes(node: TreeNode, out: Buffer, start: number): void {
  let at = start + 12;
  for (const [name, value] of node.attributes ?? []) {
    const [index, rest] = splitAttribute(name);
    out[at] = rest.length;
    out[at + 1] = index;
    out.writeUInt16LE(value.length, at + 2);
    out.write(rest, at + 4, 'latin1');
    value.copy(out, at + 4 + rest.length);
    at = alignTo(at + 4 + rest.length + value.length, 4);
  }
}

/** A folder's entries in byte order, cut into blocks: no block's names reach into the next. */
interface FolderPlan {
  names: string[];
  /** Index of each block's first name. */
  starts: number[];
  /** Bytes used in the last block. */
  tail: number;
}

function planFolder(node: TreeNode & { children: Map<string, TreeNode> }): FolderPlan {
  // latin1 strings: the order of their code units is the order of their bytes.
  const names = [...node.children.keys(), '.', '..'].sort((a, b) => (a < b ? -1 : 1));
  const starts = [0];
  let used = 0;
  for (const [index, name] of names.entries()) {
    const length = DIRENT + name.length;
    if (used + length > BLOCK) {
      starts.push(index);
      used = 0;
    }
    used += length;
  }
  return { names, starts, tail: used };
}

interface Placed {
  node: TreeNode;
  /** From the start of the metadata. */
  at: number;
  attributes: number;
  layout: typeof PLAIN | typeof INLINE;
  /** First of its own data blocks, counted from the first data block of the metadata. */
  block: number;
  folder: FolderPlan | undefined;
  size: number;
}

/** Gives every inode a place, parents before children, the root first (its number must fit 16 bits). */
function place(root: TreeNode): { placed: Map<TreeNode, Placed>; inodesEnd: number; blocks: number } {
  const placed = new Map<TreeNode, Placed>();
  let end = INODE; // inode number 0 stays unused
  let blocks = 0;
  const queue: TreeNode[] = [root];
  for (let node = queue.pop(); node; node = queue.pop()) {
    if (placed.has(node)) continue;
    const attributes = attributesSize(node);
    const folder = isFolder(node) ? planFolder(node) : undefined;
    const size = folder ? (folder.starts.length - 1) * BLOCK + folder.tail : node.size;
    const tail = folder ? folder.tail : node.link.length;
    const whole = folder ? folder.starts.length - 1 : 0;
    const inline = tail > 0 && INODE + attributes + tail <= BLOCK;
    let at = alignTo(end, SLOT);
    // What is inline must not cross a block; keeping it in the inode's own block satisfies every kernel.
    if (inline && (at % BLOCK) + INODE + attributes + tail > BLOCK) at = alignTo(at, BLOCK);
    placed.set(node, { node, at, attributes, layout: inline ? INLINE : PLAIN, block: blocks, folder, size });
    end = at + INODE + attributes + (inline ? tail : 0);
    blocks += inline ? whole : whole + Math.ceil(tail / BLOCK);
    if (isFolder(node))
      for (const child of [...node.children.values()].reverse()) if (!placed.has(child)) queue.push(child);
  }
  return { placed, inodesEnd: end, blocks };
}

function firstBlock(item: Placed, dataBlock: number): number {
  const { node, folder, layout, block } = item;
  const format = node.mode & S_IFMT;
  if (format === S_IFREG) return node.size > 0 ? (TAR_AT + node.dataAt) / BLOCK : 0;
  if (folder) return layout === INLINE && folder.starts.length === 1 ? 0 : dataBlock + block;
  if (format === S_IFLNK) return layout === INLINE ? 0 : dataBlock + block;
  return node.rdev;
}

function writeInode(item: Placed, number: number, dataBlock: number, out: Buffer): void {
  const { node, at, attributes } = item;
  out.writeUInt16LE(1 | (item.layout << 1), at);
  out.writeUInt16LE(attributes > 0 ? (attributes - 12) / 4 + 1 : 0, at + 2);
  out.writeUInt16LE(node.mode, at + 4);
  out.writeBigUInt64LE(BigInt(item.size), at + 8);
  out.writeUInt32LE(firstBlock(item, dataBlock), at + 16);
  out.writeUInt32LE(number, at + 20);
  out.writeUInt32LE(node.uid, at + 24);
  out.writeUInt32LE(node.gid, at + 28);
  out.writeBigInt64LE(BigInt(node.mtime), at + 32);
  out.writeUInt32LE(node.mtimeNs, at + 40);
  out.writeUInt32LE(node.nlink, at + 44);
  if (attributes > 0) writeAttributes(node, out, at + INODE);
}

function writeFolder(item: Placed, plan: FolderPlan, placed: Map<TreeNode, Placed>, dataAt: number, out: Buffer): void {
  const { node } = item;
  const last = plan.starts.length - 1;
  for (const [index, start] of plan.starts.entries()) {
    const end = plan.starts[index + 1] ?? plan.names.length;
    const inline = index === last && item.layout === INLINE;
    const base = inline ? item.at + INODE + item.attributes : dataAt + (item.block + index) * BLOCK;
    let nameAt = (end - start) * DIRENT;
    for (let i = start; i < end; i += 1) {
      const name = plan.names[i] as string;
      const target = name === '.' ? node : name === '..' ? (node.parent ?? node) : node.children?.get(name);
      const there = placed.get(target as TreeNode) as Placed;
      const at = base + (i - start) * DIRENT;
      out.writeBigUInt64LE(BigInt(there.at / SLOT), at);
      out.writeUInt16LE(nameAt, at + 8);
      out[at + 10] = FILE_TYPES[there.node.mode & S_IFMT] ?? 0;
      out.write(name, base + nameAt, 'latin1');
      nameAt += name.length;
    }
  }
}

export interface Metadata {
  /** Goes to `at`, and ends the image. */
  bytes: Buffer;
  at: number;
  /** Goes to `superblockAt`, last. */
  superblock: Buffer;
  superblockAt: number;
}

/**
 * The metadata of a finished tree over a tar of `tarSize` bytes. `id` (16 bytes) becomes the volume's UUID.
 * @throws UnfitError when the layer is too large for it.
 */
export function encode(root: TreeNode, tarSize: number, id: Buffer): Metadata {
  const at = alignTo(TAR_AT + tarSize, BLOCK);
  const { placed, inodesEnd, blocks } = place(root);
  const dataAt = alignTo(inodesEnd, BLOCK);
  const total = alignTo(at + dataAt + blocks * BLOCK, PAGE) - at;
  if ((at + total) / BLOCK > 0xffffffff) throw new UnfitError('more than 2 TiB');
  const out = Buffer.alloc(total);
  const dataBlock = (at + dataAt) / BLOCK;
  let number = 0;
  for (const item of placed.values()) {
    writeInode(item, (number += 1), dataBlock, out);
    if (item.folder) writeFolder(item, item.folder, placed, dataAt, out);
    else if (item.node.link)
      out.write(
        item.node.link,
        item.layout === INLINE ? item.at + INODE + item.attributes : dataAt + item.block * BLOCK,
        'latin1',
      );
  }
  const superblock = Buffer.alloc(128);
  superblock.writeUInt32LE(MAGIC, 0);
  superblock.writeUInt32LE(FEATURE_MTIME, 8);
  superblock[12] = BLOCK_BITS;
  superblock.writeUInt16LE((placed.get(root) as Placed).at / SLOT, 14);
  superblock.writeBigUInt64LE(BigInt(placed.size), 16);
  superblock.writeUInt32LE((at + total) / BLOCK, 36);
  superblock.writeUInt32LE(at / BLOCK, 40);
  id.copy(superblock, 48, 0, 16);
  return { bytes: out, at, superblock, superblockAt: SUPERBLOCK_AT };
}

/** Names in layer tars: what may stand there, and which ones are marks (image-spec layer.md, "Whiteouts"). */
import { TarError } from './tar-fields.ts';

const WHITEOUT = '.wh.';
/** Hides everything that the layers below have in this folder. */
export const OPAQUE = '.wh..wh..opq';
const NAME_MAX = 255;
/** Attributes that a layer may bring; the overlay's own are ours alone. */
const ATTRIBUTE_PREFIXES = ['user.', 'security.', 'trusted.'];
const ACLS = ['system.posix_acl_access', 'system.posix_acl_default'];

/** The parts of an entry's path, latin1. @throws TarError when it would leave the layer. */
export function partsOf(name: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new TarError(`entry ${JSON.stringify(name)} leaves the layer`);
  return parts;
}

/** The same name. @throws TarError when no file system takes it. */
export function checkedName(part: string, entryName: string): string {
  if (part.length > NAME_MAX)
    throw new TarError(
      `entry ${JSON.stringify(entryName.slice(0, 60))}… has a name of ${part.length} bytes, more than ${NAME_MAX}`,
    );
  return part;
}

/**
 * The name that a whiteout hides; '' for aufs' own bookkeeping, which means nothing; undefined: it is no whiteout.
 * @throws TarError for a whiteout of no file.
 */
export function whiteoutOf(base: string, entryName: string): string | undefined {
  if (!base.startsWith(WHITEOUT)) return undefined;
  if (base.startsWith('.wh..wh.')) return '';
  const hidden = base.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..')
    throw new TarError(`entry ${JSON.stringify(entryName)} is a whiteout of no file`);
  return hidden;
}

/** Whether a layer may set this extended attribute. */
export function isLayerAttribute(name: string): boolean {
  if (name.startsWith('trusted.overlay.')) return false;
  return (
    ACLS.includes(name) || ATTRIBUTE_PREFIXES.some((prefix) => name.startsWith(prefix) && name.length > prefix.length)
  );
}

import path from 'node:path';
import type { ContainerConfig, HostConfig, MountRequest } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { EngineError } from '../errors/engine-error.ts';
import type { MountRecord } from './record.ts';

const PROPAGATION = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']);
const CONSISTENCY = new Set(['consistent', 'cached', 'delegated', 'default']);
const FLAGS = new Set(['ro', 'rw', 'z', 'Z', 'nocopy']);

const BLANK: MountRecord = {
  Type: 'bind',
  Name: '',
  Source: '',
  Destination: '',
  Driver: '',
  Mode: '',
  RW: true,
  Propagation: '',
  CreateSource: false,
  NoCopy: false,
  Subpath: '',
  NonRecursive: false,
  Options: [],
  Listed: true,
};

/** A comma list of mount modes; undefined when a word is none or two contradict. */
function parseMode(mode: string): { readOnly: boolean; noCopy: boolean; propagation: string } | undefined {
  const result = { readOnly: false, noCopy: false, propagation: '' };
  const seen = new Set<string>();
  for (const word of mode.split(',')) {
    const kind = PROPAGATION.has(word)
      ? 'propagation'
      : CONSISTENCY.has(word)
        ? 'consistency'
        : word === 'ro' || word === 'rw'
          ? 'access'
          : word === 'z' || word === 'Z'
            ? 'label'
            : word;
    if (!(FLAGS.has(word) || PROPAGATION.has(word) || CONSISTENCY.has(word)) || seen.has(kind)) return undefined;
    seen.add(kind);
    if (word === 'ro') result.readOnly = true;
    if (word === 'nocopy') result.noCopy = true;
    if (PROPAGATION.has(word)) result.propagation = word;
  }
  return result;
}

function checkTarget(type: string, target: string): string {
  if (!path.posix.isAbsolute(target))
    throw containerErrors.mountConfig(type, `invalid mount path: '${target}' mount path must be absolute`);
  const clean = path.posix.normalize(target).replace(/(.)\/$/, '$1');
  if (clean === '/') throw containerErrors.mountConfig(type, `invalid specification: destination can't be '/'`);
  return clean;
}

/** One `-v` string: `dst`, `src:dst`, `src:dst:mode`; a source that is a path is a bind, else a volume's name. @throws EngineError 400 */
export function parseVolumeSpec(spec: string, volumeDriver: string): MountRecord {
  const parts = spec.split(':');
  if (parts.length > 3 || parts[0] === '') throw containerErrors.volumeSpec(spec);
  const [source, target, mode] =
    parts.length === 1 ? ['', parts[0] as string, ''] : [parts[0], parts[1], parts[2] ?? ''];
  if (source === undefined || target === undefined || target === '') throw containerErrors.volumeSpec(spec);
  if (parts.length === 2 && parseMode(target)) throw containerErrors.volumeSpec(spec); // target and mode, no source
  const parsed = parts.length === 3 ? parseMode(mode) : { readOnly: false, noCopy: false, propagation: '' };
  if (!parsed) throw containerErrors.badMode(mode);
  const bind = path.posix.isAbsolute(source);
  let destination: string;
  try {
    destination = checkTarget(bind ? 'bind' : 'volume', target);
  } catch (error) {
    if (error instanceof EngineError) throw containerErrors.volumeSpec(spec, error.message);
    throw error;
  }
  if (!bind && parsed.propagation !== '')
    throw containerErrors.volumeSpec(
      spec,
      'invalid mount config for type "volume": field BindOptions must not be specified',
    );
  if (bind && parsed.noCopy) throw containerErrors.badMode(mode);
  if (!bind && (source.startsWith('.') || source.startsWith('~')))
    throw containerErrors.invalid(
      `create ${source}: "${source}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  return {
    ...BLANK,
    Type: bind ? 'bind' : 'volume',
    Name: bind ? '' : source,
    Source: bind ? path.posix.normalize(source).replace(/(.)\/$/, '$1') : '',
    Destination: destination,
    Driver: bind ? '' : volumeDriver || 'local',
    Mode: mode || (bind ? '' : 'z'),
    RW: !parsed.readOnly,
    Propagation: bind ? parsed.propagation || 'rprivate' : '',
    CreateSource: bind,
    NoCopy: parsed.noCopy,
  };
}

/** One `--mount`. @throws EngineError 400 */
export function parseMountRequest(request: MountRequest): MountRecord {
  const type = request.Type;
  if (type !== 'bind' && type !== 'volume' && type !== 'tmpfs') {
    if (type === 'image' || type === 'cluster' || type === 'npipe')
      throw containerErrors.mountConfig(type, 'galley mounts bind, volume and tmpfs');
    throw containerErrors.mountConfig(type, 'mount type unknown');
  }
  if (!request.Target) throw containerErrors.mountConfig(type, 'field Target must not be empty');
  const Destination = checkTarget(type, request.Target);
  const base: MountRecord = { ...BLANK, Type: type, Destination, RW: !request.ReadOnly };
  const foreign = (present: boolean, field: string) => {
    if (present)
      throw containerErrors.mountConfig(type, `exclusive options: must not specify ${field} for type "${type}"`);
  };
  if (type === 'bind') {
    foreign(request.VolumeOptions !== undefined && request.VolumeOptions !== null, 'VolumeOptions');
    foreign(request.TmpfsOptions !== undefined && request.TmpfsOptions !== null, 'TmpfsOptions');
    if (!request.Source) throw containerErrors.mountConfig(type, 'field Source must not be empty');
    if (!path.posix.isAbsolute(request.Source))
      throw containerErrors.mountConfig(type, `invalid mount path: '${request.Source}' mount path must be absolute`);
    const propagation = request.BindOptions?.Propagation || 'rprivate';
    if (!PROPAGATION.has(propagation))
      throw containerErrors.mountConfig(type, `invalid propagation mode: ${propagation}`);
    return {
      ...base,
      Source: path.posix.normalize(request.Source).replace(/(.)\/$/, '$1'),
      Propagation: propagation,
      CreateSource: request.BindOptions?.CreateMountpoint ?? false,
      NonRecursive: request.BindOptions?.NonRecursive ?? false,
    };
  }
  foreign(request.BindOptions !== undefined && request.BindOptions !== null, 'BindOptions');
  if (type === 'volume') {
    foreign(request.TmpfsOptions !== undefined && request.TmpfsOptions !== null, 'TmpfsOptions');
    const Subpath = request.VolumeOptions?.Subpath ?? '';
    if (path.posix.isAbsolute(Subpath) || path.posix.normalize(Subpath).startsWith('..'))
      throw containerErrors.mountConfig(type, `subpath must be a relative path within the volume`);
    return {
      ...base,
      Name: request.Source ?? '',
      Driver: request.VolumeOptions?.DriverConfig?.Name || 'local',
      Mode: 'z',
      NoCopy: request.VolumeOptions?.NoCopy ?? false,
      Subpath,
    };
  }
  foreign(request.VolumeOptions !== undefined && request.VolumeOptions !== null, 'VolumeOptions');
  if (request.Source) throw containerErrors.mountConfig(type, 'field Source must not be specified');
  const Options: string[] = [];
  if (request.TmpfsOptions?.SizeBytes) Options.push(`size=${request.TmpfsOptions.SizeBytes}`);
  if (request.TmpfsOptions?.Mode) Options.push(`mode=${request.TmpfsOptions.Mode.toString(8)}`);
  for (const option of request.TmpfsOptions?.Options ?? []) Options.push(option.join('='));
  return { ...base, Options };
}

const TMPFS_OPTION =
  /^(ro|rw|exec|noexec|suid|nosuid|dev|nodev|sync|async|atime|noatime|diratime|nodiratime|relatime|norelatime|strictatime|nostrictatime|mand|nomand|r?private|r?shared|r?slave|(size|nr_blocks|nr_inodes|mode|uid|gid|mpol)=.+)$/;

/** `--tmpfs /run:size=64m,exec`. @throws EngineError 400 */
function parseTmpfs(target: string, options: string): MountRecord {
  if (!path.posix.isAbsolute(target))
    throw containerErrors.invalid(`invalid mount path: '${target}' mount path must be absolute`);
  const Destination = checkTarget('tmpfs', target);
  const words = options === '' ? [] : options.split(',');
  for (const word of words)
    if (!TMPFS_OPTION.test(word)) throw containerErrors.invalid(`invalid tmpfs option ["${word}"]`);
  return { ...BLANK, Type: 'tmpfs', Destination, RW: !words.includes('ro'), Options: words, Listed: false };
}

/**
 * Every mount that a body asks for, without touching anything: -v, --mount, --tmpfs, VOLUMEs of the image.
 * `inherited` comes from --volumes-from and loses against the container's own.
 * @throws EngineError 400
 */
export function planMounts(
  config: ContainerConfig,
  hostConfig: HostConfig,
  inherited: readonly MountRecord[],
): MountRecord[] {
  const own = new Map<string, MountRecord>();
  const take = (mount: MountRecord) => {
    if (own.has(mount.Destination)) throw containerErrors.duplicateMount(mount.Destination);
    own.set(mount.Destination, mount);
  };
  for (const spec of hostConfig.Binds ?? []) take(parseVolumeSpec(spec, hostConfig.VolumeDriver ?? ''));
  for (const request of hostConfig.Mounts ?? []) take(parseMountRequest(request));
  for (const [target, options] of Object.entries(hostConfig.Tmpfs ?? {})) take(parseTmpfs(target, options));
  for (const mount of inherited) if (!own.has(mount.Destination)) own.set(mount.Destination, mount);
  for (const target of Object.keys(config.Volumes ?? {})) {
    const Destination = checkTarget('volume', target);
    if (!own.has(Destination))
      own.set(Destination, { ...BLANK, Type: 'volume', Driver: hostConfig.VolumeDriver || 'local', Destination });
  }
  const depth = (mount: MountRecord) => mount.Destination.split('/').length;
  return [...own.values()].sort((a, b) => depth(a) - depth(b) || (a.Destination < b.Destination ? -1 : 1));
}

/** `name[:ro|rw|z]` of --volumes-from. @throws EngineError 400 */
export function parseVolumesFrom(spec: string): { container: string; readOnly: boolean | undefined } {
  const [container = '', mode, extra] = spec.split(':');
  if (container === '' || extra !== undefined)
    throw containerErrors.invalid(`invalid volumes-from specification: ${spec}`);
  if (mode === undefined) return { container, readOnly: undefined };
  const parsed = parseMode(mode);
  if (!parsed || parsed.noCopy) throw containerErrors.badMode(mode);
  return { container, readOnly: parsed.readOnly };
}

import type { MountRequest } from '../../api/containers.ts';
import { parseBytes } from '../../format/units.ts';

/** Fields of a CSV line; quotes keep a comma. */
function csv(text: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (quoted && character === '"' && text[at + 1] === '"') {
      field += '"';
      at++;
    } else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += character;
  }
  return [...fields, field];
}

const bool = (key: string, value: string | undefined): boolean => {
  if (value === undefined || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new Error(`invalid value for ${key}: ${value}`);
};

/** Keys that may stand without a value. */
const FLAGS = new Set(['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src']);
const OPTION_OWNER = /^(bind|volume|tmpfs|image)-/;

/** `--mount type=bind,src=/a,dst=/b,readonly`. @throws Error in Docker's words. */
export function parseMount(text: string): MountRequest {
  const mount: MountRequest = { Type: 'volume', Target: '' };
  const used = new Set<string>();
  for (const field of csv(text)) {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? undefined : field.slice(equals + 1).trim();
    if (value === undefined && !FLAGS.has(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
    const owner = OPTION_OWNER.exec(key);
    if (owner) used.add(owner[1] as string);
    setField(mount, key, value, field);
  }
  if (mount.Target === '') throw new Error('target is required');
  for (const owner of used) {
    if (owner !== mount.Type) throw new Error(`cannot mix '${owner}-*' options with mount type '${mount.Type}'`);
  }
  return mount;
}

function setField(mount: MountRequest, key: string, value: string | undefined, field: string): void {
  const text = value ?? '';
  const volume = () => (mount.VolumeOptions ??= {});
  const driver = () => (volume().DriverConfig ??= {});
  const bind = () => (mount.BindOptions ??= {});
  const tmpfs = () => (mount.TmpfsOptions ??= {});
  const pair = (): [string, string] => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  };
  switch (key) {
    case 'type':
      mount.Type = text.toLowerCase() as MountRequest['Type'];
      return;
    case 'source':
    case 'src':
      mount.Source =
        text.startsWith('./') || text.startsWith('../') || text === '.' || text === '..'
          ? `${process.getBuiltinModule('node:path').resolve(text)}`
          : text;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.Target = text;
      return;
    case 'readonly':
    case 'ro':
      mount.ReadOnly = bool(key, value);
      return;
    case 'consistency':
      mount.Consistency = text.toLowerCase();
      return;
    case 'bind-propagation':
      bind().Propagation = text.toLowerCase();
      return;
    case 'bind-nonrecursive':
      bind().NonRecursive = bool(key, value);
      return;
    case 'bind-create-src':
      bind().CreateMountpoint = bool(key, value);
      return;
    case 'bind-recursive':
      setRecursive(bind(), text);
      return;
    case 'volume-nocopy':
      volume().NoCopy = bool(key, value);
      return;
    case 'volume-subpath':
    case 'image-subpath':
      volume().Subpath = text;
      return;
    case 'volume-label': {
      const [name, content] = pair();
      volume().Labels = { ...volume().Labels, [name]: content };
      return;
    }
    case 'volume-driver':
      driver().Name = text;
      return;
    case 'volume-opt': {
      const [name, content] = pair();
      driver().Options = { ...driver().Options, [name]: content };
      return;
    }
    case 'tmpfs-size':
      tmpfs().SizeBytes = parseBytes(text);
      return;
    case 'tmpfs-mode':
      if (!/^[0-7]+$/.test(text)) throw new Error(`invalid value for ${key}: ${text}`);
      tmpfs().Mode = Number.parseInt(text, 8);
      return;
    default:
      throw new Error(`unexpected key '${key}' in '${field}'`);
  }
}

function setRecursive(bind: NonNullable<MountRequest['BindOptions']>, text: string): void {
  if (text === 'enabled') return;
  if (text === 'disabled') bind.NonRecursive = true;
  else if (text === 'writable') bind.ReadOnlyNonRecursive = true;
  else if (text === 'readonly') bind.ReadOnlyForceRecursive = true;
  else
    throw new Error(
      `invalid value for bind-recursive: ${text} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
}

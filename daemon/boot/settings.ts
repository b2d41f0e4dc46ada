import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { LayerDriverChoice } from '../layers/index.ts';
import type { LogLevel } from '../system/log.ts';

/** Everything galleyd can be told. Flags win over the config file, the file over the defaults. */
export interface Settings {
  dataRoot: string;
  execRoot: string;
  /** unix:///path or tcp://address:port */
  hosts: string[];
  /** Prefix of bridges, nft table, cgroups: keeps several galleyd on one host apart. */
  name: string;
  logLevel: LogLevel;
  /** galleyd's own log, instead of stderr; '' is stderr. */
  logFile: string;
  registryMirrors: string[];
  insecureRegistries: string[];
  tlsVerify: boolean;
  tlsCaCert: string;
  tlsCert: string;
  tlsKey: string;
  insecureTcp: boolean;
  defaultRuntime: string;
  poolSize: number;
  /** How new layers lie on disk. */
  layerDriver: LayerDriverChoice;
  /** Compressed layer blobs go once their layer is an image file. */
  dropLayerBlobs: boolean;
  /** Remove everything of this galleyd from the host, then end. */
  purge: boolean;
}

const DEFAULTS: Settings = {
  dataRoot: '/var/lib/galley',
  execRoot: '/run/galley',
  hosts: [],
  name: 'galley',
  logLevel: 'info',
  logFile: '',
  registryMirrors: [],
  insecureRegistries: [],
  tlsVerify: false,
  tlsCaCert: '/etc/galley/ca.pem',
  tlsCert: '/etc/galley/server-cert.pem',
  tlsKey: '/etc/galley/server-key.pem',
  insecureTcp: false,
  defaultRuntime: 'runc',
  poolSize: 3,
  layerDriver: 'auto',
  dropLayerBlobs: false,
  purge: false,
};

/** A setting that cannot be used: galleyd says so and ends with 1 before it touches anything. */
export class SettingsError extends Error {}

const layerDriver = z.enum(['auto', 'erofs', 'dirs']);
const level = z.enum(['debug', 'info', 'warn', 'error']);
/** Keys as in dockerd's daemon.json, which operators know. */
const fileSchema = z
  .strictObject({
    'data-root': z.string(),
    'exec-root': z.string(),
    hosts: z.array(z.string()),
    name: z.string(),
    'log-level': level,
    'log-file': z.string(),
    'registry-mirrors': z.array(z.string()),
    'insecure-registries': z.array(z.string()),
    tlsverify: z.boolean(),
    tlscacert: z.string(),
    tlscert: z.string(),
    tlskey: z.string(),
    'insecure-tcp': z.boolean(),
    'default-runtime': z.string(),
    'netns-pool': z.int().min(0).max(64),
    'layer-driver': layerDriver,
    'drop-layer-blobs': z.boolean(),
  })
  .partial();

const OPTIONS = {
  'data-root': { type: 'string' },
  'exec-root': { type: 'string' },
  host: { type: 'string', short: 'H', multiple: true },
  name: { type: 'string' },
  'log-level': { type: 'string', short: 'l' },
  'log-file': { type: 'string' },
  config: { type: 'string' },
  'config-file': { type: 'string' },
  'registry-mirror': { type: 'string', multiple: true },
  'insecure-registry': { type: 'string', multiple: true },
  tlsverify: { type: 'boolean' },
  tlscacert: { type: 'string' },
  tlscert: { type: 'string' },
  tlskey: { type: 'string' },
  'insecure-tcp': { type: 'boolean' },
  'default-runtime': { type: 'string' },
  'netns-pool': { type: 'string' },
  'layer-driver': { type: 'string' },
  'drop-layer-blobs': { type: 'boolean' },
  purge: { type: 'boolean' },
} as const;

export const USAGE = `Usage: galley daemon [flags]

  --data-root DIR           images, containers, volumes (default ${DEFAULTS.dataRoot})
  --exec-root DIR           sockets, bundles, namespaces (default ${DEFAULTS.execRoot})
  -H, --host URL            listen here; repeatable (default unix://<exec-root>/galley.sock)
  --name NAME               prefix of bridges, nft table and cgroups (default ${DEFAULTS.name})
  -l, --log-level LEVEL     debug, info, warn or error (default ${DEFAULTS.logLevel})
  --log-file FILE           write the log there, not to stderr; a new file every 10 MiB, three old ones are kept
  --config FILE             JSON settings; flags win (default /etc/galley/daemon.json when there)
  --registry-mirror URL     mirror of docker.io; repeatable
  --insecure-registry HOST  registry (host:port or CIDR) to speak plain HTTP with; repeatable
  --tlsverify               serve tcp:// with mutual TLS; --tlscacert, --tlscert, --tlskey name the files
  --insecure-tcp            allow tcp:// without TLS: whoever reaches the port is root here
  --default-runtime NAME    runc, crun or a path (default runc)
  --netns-pool N            ready network namespaces (default ${DEFAULTS.poolSize})
  --layer-driver NAME       erofs (image files that the kernel mounts), dirs (folders) or auto (default: what works here)
  --drop-layer-blobs        keep no compressed copy of layers that are erofs images (a push compresses them anew)
  --purge                   remove every mount, bridge, table, cgroup and folder of this galleyd, then end
`;

function readConfig(file: string | undefined): z.infer<typeof fileSchema> {
  const wanted = file ?? '/etc/galley/daemon.json';
  let text: string;
  try {
    text = readFileSync(wanted, 'utf8');
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new SettingsError(`cannot read the config file ${wanted}: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(`the config file ${wanted} is not JSON: ${(error as Error).message}`);
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new SettingsError(`the config file ${wanted}: ${issue?.path.join('.') || 'top level'}: ${issue?.message}`);
}

/** @throws SettingsError naming the flag, the value and the way out. */
export function readSettings(argv: readonly string[]): Settings {
  let flags: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
  try {
    flags = parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    throw new SettingsError((error as Error).message);
  }
  const file = readConfig(flags.config ?? flags['config-file']);
  const logLevel = level.safeParse(flags['log-level'] ?? file['log-level'] ?? DEFAULTS.logLevel);
  if (!logLevel.success) throw new SettingsError(`--log-level ${flags['log-level']}: use debug, info, warn or error`);
  const pool =
    flags['netns-pool'] === undefined ? (file['netns-pool'] ?? DEFAULTS.poolSize) : Number(flags['netns-pool']);
  if (!Number.isInteger(pool) || pool < 0 || pool > 64)
    throw new SettingsError(`--netns-pool ${flags['netns-pool']}: use a number from 0 to 64`);
  const layers = layerDriver.safeParse(flags['layer-driver'] ?? file['layer-driver'] ?? DEFAULTS.layerDriver);
  if (!layers.success) throw new SettingsError(`--layer-driver ${flags['layer-driver']}: use auto, erofs or dirs`);
  const settings: Settings = {
    dataRoot: path.resolve(flags['data-root'] ?? file['data-root'] ?? DEFAULTS.dataRoot),
    execRoot: path.resolve(flags['exec-root'] ?? file['exec-root'] ?? DEFAULTS.execRoot),
    hosts: flags.host ?? file.hosts ?? [],
    name: flags.name ?? file.name ?? DEFAULTS.name,
    logLevel: logLevel.data,
    logFile: flags['log-file'] ?? file['log-file'] ?? DEFAULTS.logFile,
    registryMirrors: flags['registry-mirror'] ?? file['registry-mirrors'] ?? [],
    insecureRegistries: flags['insecure-registry'] ?? file['insecure-registries'] ?? [],
    tlsVerify: flags.tlsverify ?? file.tlsverify ?? false,
    tlsCaCert: flags.tlscacert ?? file.tlscacert ?? DEFAULTS.tlsCaCert,
    tlsCert: flags.tlscert ?? file.tlscert ?? DEFAULTS.tlsCert,
    tlsKey: flags.tlskey ?? file.tlskey ?? DEFAULTS.tlsKey,
    insecureTcp: flags['insecure-tcp'] ?? file['insecure-tcp'] ?? false,
    defaultRuntime: flags['default-runtime'] ?? file['default-runtime'] ?? DEFAULTS.defaultRuntime,
    poolSize: pool,
    layerDriver: layers.data,
    dropLayerBlobs: flags['drop-layer-blobs'] ?? file['drop-layer-blobs'] ?? DEFAULTS.dropLayerBlobs,
    purge: flags.purge ?? false,
  };
  if (settings.hosts.length === 0) settings.hosts = [`unix://${settings.execRoot}/galley.sock`];
  check(settings);
  return settings;
}

function check(settings: Settings): void {
  // An interface name holds 15 characters, and bridges are named after --name.
  if (!/^[a-z][a-z0-9-]{0,9}$/.test(settings.name))
    throw new SettingsError(
      `--name ${settings.name}: use a lower-case letter and up to nine letters, digits or dashes`,
    );
  for (const host of settings.hosts) {
    if (host.startsWith('unix:///')) continue;
    if (!/^tcp:\/\/[^/]+:\d+$/.test(host))
      throw new SettingsError(`--host ${host}: use unix:///path/to.sock or tcp://address:port`);
    if (!settings.tlsVerify && !settings.insecureTcp)
      throw new SettingsError(
        `--host ${host}: tcp without TLS makes everybody who reaches the port root on this host; add --tlsverify with --tlscacert, --tlscert and --tlskey (or --insecure-tcp if you mean it)`,
      );
  }
  for (const mirror of settings.registryMirrors)
    if (!/^https?:\/\/[^/]+\/?$/.test(mirror))
      throw new SettingsError(`--registry-mirror ${mirror}: use http(s)://host[:port] without a path`);
}

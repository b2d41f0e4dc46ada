import type { ContainerConfig, HostConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import { readSecurityOptions, unknownCapabilities } from '../runtime/index.ts';
import type { CgroupAbilities } from '../system/cgroups.ts';
import { lookUpTool } from '../system/find-tool.ts';
import { checkResources } from './check-resources.ts';
import { parseSize } from './host-config.ts';
import { signalNumber } from './signals.ts';

const JSON_FILE_OPTIONS = new Set([
  'max-size',
  'max-file',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
]);
const LOCAL_OPTIONS = new Set(['max-size', 'max-file', 'compress', 'mode', 'max-buffer-size']);
function checkLogConfig({ Type, Config }: HostConfig['LogConfig']): void {
  if (Type === 'none') return;
  if (Type !== 'json-file' && Type !== 'local') throw containerErrors.unknownLogDriver(Type);
  const known = Type === 'local' ? LOCAL_OPTIONS : JSON_FILE_OPTIONS;
  for (const [key, value] of Object.entries(Config ?? {})) {
    if (!known.has(key)) throw containerErrors.unknownLogOption(key, Type);
    if (key === 'max-size' && value !== '-1' && parseSize(value) === undefined)
      throw containerErrors.logDriverRefuses(`invalid size: '${value}'`);
    if (key === 'max-file' && !(Number.isInteger(Number(value)) && Number(value) > 0))
      throw containerErrors.logDriverRefuses('max-file cannot be less than 1');
  }
}

/** @throws EngineError 400 */
export function checkRestartPolicy(hostConfig: Pick<HostConfig, 'RestartPolicy' | 'AutoRemove'>): void {
  const { Name, MaximumRetryCount } = hostConfig.RestartPolicy;
  if (!['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(Name))
    throw containerErrors.invalid(
      `invalid restart policy: unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (MaximumRetryCount < 0)
    throw containerErrors.invalid('invalid restart policy: maximum retry count cannot be negative');
  if (MaximumRetryCount > 0 && Name !== 'on-failure')
    throw containerErrors.invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  if (hostConfig.AutoRemove && Name !== '' && Name !== 'no') throw containerErrors.autoRemoveWithRestart();
}

const PORT = /^\d+(-\d+)?(\/(tcp|udp|sctp))?$/;

function checkPorts(config: ContainerConfig, h: HostConfig): void {
  for (const key of [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(h.PortBindings ?? {})])
    if (
      !PORT.test(key) ||
      key.split(/[-/]/).some((part) => /^\d+$/.test(part) && (Number(part) > 65535 || Number(part) < 1))
    )
      throw containerErrors.invalid(`invalid port specification: "${key}"`);
  for (const bindings of Object.values(h.PortBindings ?? {}))
    for (const { HostPort = '' } of bindings ?? []) {
      const ok =
        HostPort === '' ||
        (/^\d+(-\d+)?$/.test(HostPort) && HostPort.split('-').every((part) => Number(part) <= 65535));
      if (!ok) throw containerErrors.invalid(`invalid port specification: "${HostPort}"`);
    }
}

/** Capabilities, security options, runtime, and what needs a driver that galley does not have. */
function checkPrivileges(h: HostConfig): void {
  for (const [field, names] of [
    ['CapAdd', h.CapAdd],
    ['CapDrop', h.CapDrop],
  ] as const) {
    const [unknown] = unknownCapabilities(names ?? []);
    if (unknown !== undefined) throw containerErrors.invalid(`invalid ${field}: unknown capability: "${unknown}"`);
  }
  readSecurityOptions(h.SecurityOpt ?? []);
  if (h.Runtime && lookUpTool(h.Runtime) === undefined)
    throw containerErrors.invalid(`unknown or invalid runtime name: ${h.Runtime}`);
  if (!['', 'default'].includes((h.Isolation ?? '').toLowerCase()))
    throw containerErrors.invalid(`invalid isolation '${h.Isolation}' on linux`);
  const [request] = (h.DeviceRequests ?? []) as { Driver: string; Capabilities: string[][] }[]; // the route's schema
  if (request)
    throw containerErrors.invalid(
      `could not select device driver "${request.Driver}" with capabilities: [${request.Capabilities.map((set) => `[${set.join(' ')}]`).join(' ')}]`,
    );
  if (Object.keys(h.StorageOpt ?? {}).length > 0)
    throw containerErrors.invalid("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  if (!['', 'host'].includes(h.UsernsMode)) throw containerErrors.invalid(`invalid USER mode: ${h.UsernsMode}`);
  if ('' in (h.Annotations ?? {}))
    throw containerErrors.invalid('invalid Annotations: the empty string is not permitted as an annotation key');
}

/** Options that make no sense where the network is another container's or the host's. */
function checkNetworkConflicts(config: ContainerConfig, h: HostConfig): void {
  if (!h.NetworkMode.startsWith('container:')) return;
  const refuse = (present: boolean, what: string) => {
    if (present) throw containerErrors.invalid(`conflicting options: ${what}`);
  };
  refuse(config.Hostname !== '', 'hostname and the network mode');
  refuse(
    (h.Links?.length ?? 0) > 0,
    "container type network can't be used with links. This would result in undefined behavior",
  );
  refuse((h.Dns?.length ?? 0) > 0, 'dns and the network mode');
  refuse((h.ExtraHosts?.length ?? 0) > 0, 'custom host-to-IP mapping and the network mode');
  refuse((config.MacAddress ?? '') !== '', 'mac-address and the network mode');
  refuse(
    Object.keys(h.PortBindings ?? {}).length > 0 || h.PublishAllPorts,
    'port publishing and the container type network mode',
  );
}

/**
 * Every check of a create that needs nothing but the body. @throws EngineError 400 with Docker's text
 * @returns warnings for the client
 */
export function checkContainer(config: ContainerConfig, h: HostConfig, host: CgroupAbilities): string[] {
  checkRestartPolicy(h);
  checkResources(h, host);
  checkPrivileges(h);
  checkLogConfig(h.LogConfig);
  checkPorts(config, h);
  checkNetworkConflicts(config, h);
  if (config.StopSignal) signalNumber(config.StopSignal);
  if (config.Hostname.length > 64)
    throw containerErrors.invalid(`hostname "${config.Hostname}" is too long (maximum 64 bytes)`);
  if (config.WorkingDir && !config.WorkingDir.startsWith('/'))
    throw containerErrors.invalid(
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  for (const entry of config.Env ?? [])
    if (entry === '' || entry.startsWith('=')) throw containerErrors.invalid(`invalid environment variable: ${entry}`);
  for (const entry of h.ExtraHosts ?? [])
    if (!/^[^:=]+[:=].+$/.test(entry)) throw containerErrors.invalid(`bad format for add-host: "${entry}"`);
  if (h.ShmSize < 0) throw containerErrors.invalid('SHM size can not be less than 0');
  if (!/^(private|shareable|host|none|container:.+)$/.test(h.IpcMode))
    throw containerErrors.invalid(`invalid IPC mode: ${h.IpcMode}`);
  if (!/^(|private|host|container:.+)$/.test(h.PidMode ?? ''))
    throw containerErrors.invalid(`invalid PID mode: ${h.PidMode}`);
  if (!['', 'host'].includes(h.UTSMode ?? '')) throw containerErrors.invalid(`invalid UTS mode: ${h.UTSMode}`);
  if (!['private', 'host'].includes(h.CgroupnsMode ?? ''))
    throw containerErrors.invalid(`invalid cgroup namespace mode: ${h.CgroupnsMode}`);
  if (h.UTSMode === 'host' && config.Hostname !== '')
    throw containerErrors.invalid('conflicting options: hostname and the UTS mode');
  if (config.Healthcheck) {
    const { Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = config.Healthcheck;
    for (const [what, value] of [
      ['Interval', Interval],
      ['Timeout', Timeout],
      ['StartPeriod', StartPeriod],
      ['StartInterval', StartInterval],
    ] as const)
      if (value !== 0 && value < 1_000_000)
        throw containerErrors.invalid(`${what} in Healthcheck cannot be less than 1ms`);
    if (Retries < 0) throw containerErrors.invalid('Retries in Healthcheck cannot be negative');
  }
  const warnings: string[] = [];
  if (
    (h.NetworkMode === 'host' || h.NetworkMode === 'none') &&
    (h.PublishAllPorts || Object.keys(h.PortBindings ?? {}).length > 0)
  )
    warnings.push(`Published ports are discarded when using ${h.NetworkMode} network mode`);
  return warnings;
}

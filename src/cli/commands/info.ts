import type { SystemInfo } from '../../api/system.ts';
import { GALLEY_VERSION } from '../../api/version.ts';
import { binarySize } from '../../format/units.ts';
import { executeTemplate } from '../templates.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** `name=seccomp,profile=default` as `seccomp` with its options below. */
function securityLines(options: string[]): string[] {
  return options.flatMap((option) => {
    const pairs = option
      .split(',')
      .map((one) =>
        one.includes('=') ? (one.split('=', 2) as [string, string]) : (['name', one] as [string, string]),
      );
    const title = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
    return pairs.map(([key, value]) => (key === 'name' ? `  ${value}` : `   ${title(key)}: ${value}`));
  });
}

function registryLines(info: SystemInfo): string[] {
  const config = record(info['RegistryConfig']);
  const cidrs = list(config['InsecureRegistryCIDRs']);
  const named = Object.entries(record(config['IndexConfigs']))
    .filter(([, one]) => record(one)['Secure'] === false)
    .map(([name]) => name);
  const mirrors = list(config['Mirrors']);
  const insecure = [...named, ...cidrs];
  return [
    ...(insecure.length > 0 ? [' Insecure Registries:', ...insecure.map((one) => `  ${one}`)] : []),
    ...(mirrors.length > 0 ? [' Registry Mirrors:', ...mirrors.map((one) => `  ${one}`)] : []),
  ];
}

function serverLines(info: SystemInfo): string[] {
  const plugins = record(info['Plugins']);
  const swarm = record(info['Swarm'])['LocalNodeState'];
  const optional = (title: string, value: unknown) =>
    value === undefined || value === '' ? [] : [` ${title}: ${String(value)}`];
  const commit = (key: string) => record(info[key])['ID'];
  return [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    ` Server Version: ${info.ServerVersion}`,
    ` Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([key, value]) => `  ${key}: ${value}`),
    ...optional('Logging Driver', info['LoggingDriver']),
    ...optional('Cgroup Driver', info['CgroupDriver']),
    ...optional('Cgroup Version', info['CgroupVersion']),
    ' Plugins:',
    `  Volume: ${list(plugins['Volume']).join(' ')}`,
    `  Network: ${list(plugins['Network']).join(' ')}`,
    ...(list(plugins['Log']).length > 0 ? [`  Log: ${list(plugins['Log']).join(' ')}`] : []),
    ...optional('Swarm', swarm),
    ` Runtimes: ${Object.keys(record(info['Runtimes'])).sort().join(' ')}`,
    ...optional('Default Runtime', info['DefaultRuntime']),
    ...optional('Init Binary', info['InitBinary']),
    ...optional('containerd version', commit('ContainerdCommit')),
    ...optional('runc version', commit('RuncCommit')),
    ...optional('init version', commit('InitCommit')),
    ...(list(info['SecurityOptions']).length > 0
      ? [' Security Options:', ...securityLines(list(info['SecurityOptions']))]
      : []),
    ` Kernel Version: ${info.KernelVersion}`,
    ` Operating System: ${info.OperatingSystem}`,
    ` OSType: ${info.OSType}`,
    ` Architecture: ${info.Architecture}`,
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${binarySize(info.MemTotal)}`,
    ` Name: ${info.Name}`,
    ` ID: ${info.ID}`,
    ` Docker Root Dir: ${info.DockerRootDir}`,
    ` Debug Mode: ${Boolean(info['Debug'])}`,
    ...((info.Labels ?? []).length > 0 ? [' Labels:', ...info.Labels.map((label) => `  ${label}`)] : []),
    ` Experimental: ${Boolean(info['ExperimentalBuild'])}`,
    ...registryLines(info),
    ` Live Restore Enabled: ${Boolean(info['LiveRestoreEnabled'])}`,
  ];
}

/** `galley info`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const info = await client.info();
  const format = args.string('format');
  if (format === 'json') context.out(`${JSON.stringify(info)}\n`);
  else if (format) context.out(`${executeTemplate(format, info, { type: 'system.dockerInfo' })}\n`);
  else {
    const mine = [
      'Client:',
      ` Version:    ${GALLEY_VERSION}`,
      ` Host:       ${client.host}`,
      ` Debug Mode: ${context.globals.debug}`,
    ];
    context.out(`${[...mine, '', 'Server:', ...serverLines(info)].join('\n')}\n\n`);
    for (const warning of info.Warnings ?? []) context.err(`${warning}\n`);
  }
  return 0;
}

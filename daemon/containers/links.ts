/** Legacy links of the default bridge (`--link other:alias`): names in /etc/hosts and variables that tell of the other's ports. */
import { containerErrors } from '../errors/containers.ts';
import type { Core } from './core.ts';
import { type ContainerRecord, isAlive } from './record.ts';
import { sandboxRequestOf } from './sandbox.ts';
import type { Entry } from './store.ts';

export interface ResolvedLinks {
  /** `name:address`, as ExtraHosts. */
  hosts: string[];
  env: string[];
}

const split = (link: string): [target: string, alias: string] => {
  const [target = '', alias] = link.split(':');
  const plain = (name: string) => name.split('/').at(-1) ?? '';
  return [target.replace(/^\//, ''), plain(alias ?? target)];
};

/** Checks `--link` at create. @throws EngineError 400 for a container that is not there */
export function checkLinks(core: Core, links: readonly string[]): void {
  for (const link of links) {
    const [target] = split(link);
    try {
      core.store.find(target);
    } catch {
      throw containerErrors.invalid(`could not get container for ${target}: No such container: ${target}`);
    }
  }
}

/** As inspect shows them: `/other:/me/alias`. */
export function shownLinks(core: Core, { name, hostConfig }: ContainerRecord): string[] | null {
  const links = (hostConfig.Links ?? []).flatMap((link) => {
    const [target, alias] = split(link);
    const child = core.store.lookUp(target)?.record;
    return child ? [`/${child.name}:/${name}/${alias}`] : []; // the other may be gone
  });
  return links.length > 0 ? links : null;
}

function variables(alias: string, parent: string, child: ContainerRecord, address: string): string[] {
  const prefix = alias.toUpperCase().replaceAll('-', '_');
  const ports = Object.keys(child.config.ExposedPorts ?? {}).sort(
    (a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10),
  );
  const url = (port: string) => {
    const [number, protocol = 'tcp'] = port.split('/');
    return { number, protocol, text: `${protocol}://${address}:${number}` };
  };
  const own = (child.config.Env ?? []).filter((entry) => entry.includes('=') && !/^(PATH|HOME)=/.test(entry));
  return [
    ...(ports[0] ? [`${prefix}_PORT=${url(ports[0]).text}`] : []),
    ...ports.flatMap((port) => {
      const { number, protocol, text } = url(port);
      const name = `${prefix}_PORT_${number}_${protocol.toUpperCase()}`;
      return [`${name}=${text}`, `${name}_ADDR=${address}`, `${name}_PORT=${number}`, `${name}_PROTO=${protocol}`];
    }),
    `${prefix}_NAME=/${parent}/${alias}`,
    ...own.map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

/** What the links of a container that starts lead to now. @throws EngineError 400 when the other does not run */
export function resolveLinks(core: Core, { record }: Entry): ResolvedLinks {
  const result: ResolvedLinks = { hosts: [], env: [] };
  if (record.hostConfig.NetworkMode !== 'bridge') return result; // elsewhere links are aliases of the network
  for (const link of record.hostConfig.Links ?? []) {
    const [target, alias] = split(link);
    const child = core.store.find(target).record;
    const address = core.deps.networks.settingsOf(child.id, sandboxRequestOf(child)).Networks['bridge']?.IPAddress;
    if (!isAlive(child) || !address)
      throw containerErrors.invalid(
        `Cannot link to a non running container: /${child.name} AS /${record.name}/${alias}`,
      );
    for (const name of new Set([alias, child.config.Hostname, child.name])) result.hosts.push(`${name}:${address}`);
    result.env.push(...variables(alias, record.name, child, address));
  }
  return result;
}

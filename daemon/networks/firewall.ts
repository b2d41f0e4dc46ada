/**
 * Other firewalls of the host. An accept in our own table does not overrule a drop in another's (field/network.md, last paragraph), so
 * where forwarded packets are dropped by policy our bridges get one accept per direction in the place which that firewall offers.
 */
import { messageOf } from '../errors/index.ts';
import type { Log } from '../system/log.ts';
import type { Chain, ChainName, Netfilter, Rule } from '../system/netlink/index.ts';
import { nft } from '../system/nft.ts';
import { run } from '../system/spawn.ts';
import type { SyscallError } from '../system/syscalls.ts';
import { readOldFilterTable } from '../system/xtables.ts';

export interface ForwardDrop {
  /** `old`: iptables' own tables in the kernel, which nft does not show. */
  kind: 'nft' | 'old';
  family: string;
  table: string;
  chain: string;
  /** Where an accept belongs. */
  place: string;
}

/** Chains that firewalls set apart for what others want to let through, best first. */
const PLACES = ['DOCKER-USER', 'ufw-user-forward'];

/** Chains of other tables that drop forwarded packets by policy. */
export function forwardDrops(chains: readonly Chain[], ownTable: string): ForwardDrop[] {
  return chains
    .filter(
      ({ hook, policy, table, family }) =>
        hook === 'forward' && policy === 'drop' && table !== ownTable && ['ip', 'inet'].includes(family),
    )
    .map(({ family, table, name }) => ({
      kind: 'nft' as const,
      family,
      table,
      chain: name,
      place:
        PLACES.find((place) =>
          chains.some((other) => other.family === family && other.table === table && other.name === place),
        ) ?? name,
    }));
}

const keyOf = ({ kind, family, table, chain }: ForwardDrop): string => `${kind} ${family} ${table} ${chain}`;

/** Keeps the accepts of one galleyd's bridges in those places, and takes them away again. */
export class ForwardAccepts {
  readonly #tag: string;
  readonly #table: string;
  readonly #log: Log;
  /** Where accepts stand now, and for which bridges. */
  readonly #added = new Map<string, ForwardDrop>();
  /** What could not be opened, so that it is said once and not twice a second. */
  readonly #failed = new Map<string, string>();

  constructor(tag: string, table: string, log: Log) {
    this.#tag = tag;
    this.#table = table;
    this.#log = log;
  }

  warnings(): string[] {
    return [
      ...[...this.#added.values()].map(
        ({ family, table, chain, place }) =>
          `The firewall drops forwarded packets (table ${family} ${table}, chain ${chain}): galley added accept rules for its bridges in ${place}, tagged ${this.#tag}`,
      ),
      ...[...this.#failed.values()].map((why) => `The firewall drops forwarded packets: ${why}`),
    ];
  }

  /** Whether the old iptables drop forwarded packets without our accepts: their changes bump no nft generation. */
  oldTableChanged(): boolean {
    const old = readOldFilterTable();
    const known = this.#added.get(keyOf(OLD));
    if (!old?.forwardDrops) return known !== undefined;
    const place = PLACES.find((name) => old.mentions(name)) ?? OLD.chain;
    return !old.mentions(this.#tag) || known?.place !== place;
  }

  /** Looks at the host's firewall, adds what is missing for these bridges, and forgets what no longer drops. */
  async apply(netfilter: Netfilter, bridges: readonly string[]): Promise<void> {
    const drops = forwardDrops(await netfilter.chains(), this.#table);
    const old = readOldFilterTable();
    if (old?.forwardDrops) drops.push({ ...OLD, place: PLACES.find((name) => old.mentions(name)) ?? OLD.chain });
    for (const [key, drop] of this.#added)
      if (!drops.some((other) => keyOf(other) === key)) {
        this.#added.delete(key);
        await this.#remove(netfilter, drop);
      }
    for (const drop of drops) await this.#open(netfilter, drop, bridges);
  }

  async #open(netfilter: Netfilter, drop: ForwardDrop, bridges: readonly string[]): Promise<void> {
    const key = keyOf(drop);
    try {
      const before = this.#added.get(key);
      if (before && before.place !== drop.place) await this.#remove(netfilter, before);
      if (!(await this.#stand(netfilter, drop, bridges))) {
        await this.#remove(netfilter, drop);
        for (const bridge of bridges) await this.#insert(drop, bridge);
      }
      this.#added.set(key, drop);
      this.#failed.delete(key);
    } catch (error) {
      const why = `${drop.table} ${drop.place}: ${messageOf(error)}`;
      if (this.#failed.get(key) !== why)
        this.#log.warn('could not open the forward chain of another firewall for our bridges', { error: why });
      this.#failed.set(key, why);
    }
  }

  /** For a purge: also what an earlier galleyd of this name left, in whatever chain. */
  async removeAll(netfilter: Netfilter): Promise<void> {
    for (const chain of await netfilter.chains())
      if (chain.table !== this.#table && ['ip', 'inet'].includes(chain.family))
        await this.#remove(netfilter, { ...chain, kind: 'nft', chain: chain.name, place: chain.name });
    if (readOldFilterTable()?.mentions(this.#tag)) await this.#remove(netfilter, { ...OLD, place: '' });
    this.#added.clear();
  }

  /** True when exactly the two rules of each bridge are there. */
  async #stand(netfilter: Netfilter, drop: ForwardDrop, bridges: readonly string[]): Promise<boolean> {
    const whose =
      drop.kind === 'old'
        ? (await this.#oldRules(drop)).map((rule) => (bridge: string) => rule.includes(bridge))
        : (await this.#rules(netfilter, drop)).map((rule) => rule.mentions);
    return (
      whose.length === bridges.length * 2 &&
      bridges.every((bridge) => whose.filter((mentions) => mentions(bridge)).length === 2)
    );
  }

  /** Our rules there, each as its words; without a place those of every chain. */
  async #oldRules({ place }: ForwardDrop): Promise<string[][]> {
    const { stdout } = await run(await oldIptables(), ['-w', '-S', ...(place ? [place] : [])], { allowFailure: true });
    return stdout
      .split('\n')
      .map((line) => line.replaceAll('"', '').split(' '))
      .filter((words) => words.includes(this.#tag));
  }

  async #rules(netfilter: Netfilter, drop: ForwardDrop): Promise<Rule[]> {
    try {
      return (await netfilter.rules(chainOf(drop))).filter((rule) => rule.mentions(this.#tag));
    } catch (error) {
      if ((error as SyscallError).code === 'ENOENT') return []; // the chain is gone, and our rules with it
      throw error;
    }
  }

  async #insert(drop: ForwardDrop, bridge: string): Promise<void> {
    const tool = drop.kind === 'old' ? await oldIptables() : await newIptables(drop);
    for (const direction of ['i', 'o'])
      if (tool) {
        const rule = [`-${direction}`, bridge, '-m', 'comment', '--comment', this.#tag, '-j', 'ACCEPT'];
        await run(tool, ['-w', '-I', drop.place, ...rule]);
      } else
        await nft(
          `insert rule ${drop.family} ${drop.table} ${drop.place} ${direction}ifname "${bridge}" accept comment "${this.#tag}"\n`,
        );
  }

  async #remove(netfilter: Netfilter, drop: ForwardDrop): Promise<void> {
    if (drop.kind === 'nft') {
      await netfilter.deleteRules(chainOf(drop), await this.#rules(netfilter, drop));
      return;
    }
    for (const [, chain = '', ...rule] of await this.#oldRules(drop))
      await run(await oldIptables(), ['-w', '-D', chain, ...rule]);
  }
}

const chainOf = ({ family, table, place }: ForwardDrop): ChainName => ({ family, table, name: place });
const OLD: ForwardDrop = { kind: 'old', family: 'ip', table: 'filter', chain: 'FORWARD', place: 'FORWARD' };

const versions = new Map<string, Promise<string>>();
/** What `iptables --version` prints, '' where there is no such tool. */
function versionOf(tool: string): Promise<string> {
  const known =
    versions.get(tool) ??
    run(tool, ['--version'])
      .then(({ stdout }) => stdout)
      .catch(() => '');
  versions.set(tool, known);
  return known;
}

/** iptables' nft tables want their rules through iptables, or `iptables -L` calls them incompatible. undefined: nft itself. */
async function newIptables(drop: ForwardDrop): Promise<string | undefined> {
  if (drop.family !== 'ip' || drop.table !== 'filter') return undefined;
  for (const tool of ['iptables-nft', 'iptables']) if ((await versionOf(tool)).includes('nf_tables')) return tool;
  return undefined;
}

/** @throws Error when the host has no tool for the tables that somebody filled */
async function oldIptables(): Promise<string> {
  for (const tool of ['iptables-legacy', 'iptables']) {
    const version = await versionOf(tool);
    if (version !== '' && !version.includes('nf_tables')) return tool;
  }
  throw new Error('the host has no iptables-legacy command to open its old filter table with');
}

import { z } from 'zod';
import { messageOf } from '../errors/index.ts';
import type { Log } from '../system/log.ts';
import { listRuleset, nft } from '../system/nft.ts';
import { run } from '../system/spawn.ts';

const chainSchema = z.object({
  chain: z.object({
    family: z.string(),
    table: z.string(),
    name: z.string(),
    hook: z.string().optional(),
    policy: z.string().optional(),
  }),
});
const rulesetSchema = z.object({ nftables: z.array(z.unknown()) });

export interface ForwardDrop {
  family: string;
  table: string;
  chain: string;
  /** Where an accept belongs: DOCKER-USER where dockerd made it, else the dropping chain itself. */
  place: string;
}

/**
 * Chains of other tables that drop forwarded packets by policy: an accept in our own table does not overrule them
 * (field/network.md, last paragraph).
 */
export function forwardDrops(ruleset: unknown, ownTable: string): ForwardDrop[] {
  const chains = rulesetSchema.parse(ruleset).nftables.flatMap((item) => {
    const result = chainSchema.safeParse(item);
    return result.success ? [result.data.chain] : [];
  });
  return chains
    .filter(
      (chain) =>
        chain.hook === 'forward' &&
        chain.policy === 'drop' &&
        chain.table !== ownTable &&
        ['ip', 'inet'].includes(chain.family),
    )
    .map(({ family, table, name }) => ({
      family,
      table,
      chain: name,
      place: chains.some((other) => other.family === family && other.table === table && other.name === 'DOCKER-USER')
        ? 'DOCKER-USER'
        : name,
    }));
}

/** Keeps one accept per direction for our bridges in tables that drop forwarded packets, and takes them away again. */
export class ForwardAccepts {
  readonly #tag: string;
  readonly #table: string;
  readonly #log: Log;
  readonly #added = new Map<string, ForwardDrop>();

  constructor(name: string, table: string, log: Log) {
    this.#tag = `galley:${name}`;
    this.#table = table;
    this.#log = log;
  }

  warnings(): string[] {
    return [...this.#added.values()].map(
      ({ family, table, chain, place }) =>
        `The firewall drops forwarded packets (table ${family} ${table}, chain ${chain}): galley added accept rules for its bridges in ${place}, tagged ${this.#tag}`,
    );
  }

  /** Looks at the host's firewall and adds what is missing for these bridges. */
  async apply(bridges: readonly string[]): Promise<void> {
    for (const drop of forwardDrops(await listRuleset(), this.#table)) {
      try {
        await this.#remove(drop);
        for (const bridge of bridges) await this.#insert(drop, bridge);
        this.#added.set(`${drop.family} ${drop.table} ${drop.chain}`, drop);
      } catch (error) {
        this.#log.warn('could not open the forward chain of another firewall for our bridges', {
          table: drop.table,
          error: messageOf(error),
        });
      }
    }
  }

  async removeAll(): Promise<void> {
    for (const drop of forwardDrops(await listRuleset(), this.#table)) await this.#remove(drop);
    this.#added.clear();
  }

  /** iptables' own tables want their rules through iptables, or `iptables -L` calls them incompatible. */
  #throughIptables(drop: ForwardDrop): boolean {
    return drop.family === 'ip' && drop.table === 'filter';
  }

  async #insert(drop: ForwardDrop, bridge: string): Promise<void> {
    if (this.#throughIptables(drop) && (await hasIptables())) {
      for (const direction of ['-i', '-o'])
        await run('iptables', [
          '-w',
          '-I',
          drop.place,
          direction,
          bridge,
          '-m',
          'comment',
          '--comment',
          this.#tag,
          '-j',
          'ACCEPT',
        ]);
      return;
    }
    for (const direction of ['iifname', 'oifname'])
      await nft(
        `insert rule ${drop.family} ${drop.table} ${drop.place} ${direction} "${bridge}" accept comment "${this.#tag}"\n`,
      );
  }

  async #remove(drop: ForwardDrop): Promise<void> {
    const { stdout } = await run('nft', ['-a', 'list', 'chain', drop.family, drop.table, drop.place], {
      allowFailure: true,
    });
    const handles = stdout
      .split('\n')
      .filter((line) => line.includes(`"${this.#tag}"`))
      .flatMap((line) => /# handle (\d+)/.exec(line)?.[1] ?? []);
    for (const handle of handles)
      await nft(`delete rule ${drop.family} ${drop.table} ${drop.place} handle ${handle}\n`);
  }
}

async function hasIptables(): Promise<boolean> {
  return run('iptables', ['--version'])
    .then(() => true)
    .catch(() => false);
}

import { messageOf } from '../errors/index.ts';
import type { Log } from '../system/log.ts';
import type { Mutex } from '../system/mutex.ts';
import { FAMILY, Netfilter } from '../system/netlink/index.ts';
import { nft } from '../system/nft.ts';
import { networkOptions } from './bridges.ts';
import { Connections } from './connections.ts';
import type { ForwardAccepts } from './firewall.ts';
import type { NetworkRecord } from './records.ts';
import { mapElement, PORT_MAPS, type PublishedPort, tableScript } from './ruleset.ts';

/**
 * How often the firewall is looked at. One question to the kernel (0.05 ms) tells whether any nft table changed since the last look,
 * so that half a second costs nothing; a listening `nft monitor` would be a process of its own and is deaf for the old iptables.
 */
const LOOK_MS = 500;

export interface TableDeps {
  /** Name of the table. */
  name: string;
  bridges(): NetworkRecord[];
  ports(): PublishedPort[];
  accepts: ForwardAccepts;
  /** Held while the table or a bridge changes. */
  mutex: Mutex;
  log: Log;
}

/** On a host whose firewall is written to all the time the last one counts. */
const REBUILD_ATTEMPTS = 5;

/**
 * The nft table of one galleyd. It is made as a whole; published ports come and go as single elements. What others do to it, or to
 * the firewall beside it, is seen by `look` and set right.
 */
export class NftTable {
  readonly #deps: TableDeps;
  readonly #connections: Connections;
  /** Rules per chain, as the kernel counts them, after the table was made. */
  #uses = new Map<string, number>();
  #generation = -1;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(deps: TableDeps) {
    this.#deps = deps;
    this.#connections = new Connections(deps.log);
  }

  /** Everything anew in one transaction; the caller holds the mutex. @throws CommandError */
  async rebuild(): Promise<void> {
    const { name, bridges, ports } = this.#deps;
    const rules = bridges().map((network) => ({
      bridge: network.bridge,
      subnet: network.subnet,
      internal: network.internal,
      masquerade: networkOptions(network).masquerade,
    }));
    using netfilter = new Netfilter();
    // The rules are counted only where nobody wrote in between, which the generation tells (a transaction is one step): what a
    // stranger's flush left would else be taken for the whole table from then on.
    for (let attempt = 1; attempt <= REBUILD_ATTEMPTS; attempt += 1) {
      const before = await netfilter.generation();
      await nft(tableScript(name, rules, ports()));
      this.#uses = await this.#usesNow(netfilter);
      this.#generation = await netfilter.generation();
      if (this.#generation === before + 1) break;
    }
    await this.#openOthers(netfilter);
  }

  /** The caller holds the mutex and has recorded the ports. @throws SyscallError, CommandError */
  async publish(ports: readonly PublishedPort[]): Promise<void> {
    await this.#change(ports, (netfilter) => netfilter.addElements(FAMILY.ip, this.#deps.name, ports.map(mapElement)));
    this.#connections.opened(ports);
  }

  /** The caller holds the mutex and has recorded that the ports are gone. */
  async withdraw(ports: readonly PublishedPort[]): Promise<void> {
    const keys = ports.map(mapElement).map(({ map, key }) => ({ map, key }));
    await this.#change(ports, (netfilter) => netfilter.deleteElements(FAMILY.ip, this.#deps.name, keys));
    this.#connections.closed(ports);
  }

  async #change(ports: readonly PublishedPort[], change: (netfilter: Netfilter) => Promise<void>): Promise<void> {
    if (ports.length === 0) return;
    using netfilter = new Netfilter();
    try {
      await change(netfilter);
    } catch (error) {
      // Somebody flushed our table: make it again, with what is recorded.
      this.#deps.log.warn('the nft table had changed; it is rebuilt', { error: messageOf(error) });
      await this.rebuild();
    }
  }

  /** Looks from now on. */
  watch(): void {
    this.#timer ??= setInterval(() => {
      this.#looking = this.look().catch((error: unknown) =>
        this.#deps.log.warn('the firewall could not be looked at', { error: messageOf(error) }),
      );
    }, LOOK_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#looking;
    await this.#connections.close();
  }

  /** Sets right what others changed: our own table, and our accepts in a firewall that drops forwarded packets. */
  async look(): Promise<void> {
    if (this.#deps.mutex.owner !== '') return; // the next look is soon
    using netfilter = new Netfilter();
    const generation = await netfilter.generation();
    if (generation === this.#generation && !this.#deps.accepts.oldTableChanged()) return;
    await this.#deps.mutex.run('look at the firewall', async () => {
      if (this.#timer === undefined) return;
      // Of before the look: what changes during it is seen by the next one.
      this.#generation = await netfilter.generation();
      if (await this.#isWhole(netfilter)) await this.#openOthers(netfilter);
      else {
        this.#deps.log.warn('the nft table was changed by somebody else; it is rebuilt', { table: this.#deps.name });
        await this.rebuild();
      }
    });
  }

  async #openOthers(netfilter: Netfilter): Promise<void> {
    await this.#deps.accepts.apply(
      netfilter,
      this.#deps.bridges().map((network) => network.bridge),
    );
  }

  async #usesNow(netfilter: Netfilter): Promise<Map<string, number>> {
    const chains = await netfilter.chains();
    return new Map(
      chains
        .filter(({ family, table }) => family === 'ip' && table === this.#deps.name)
        .map(({ name, uses }) => [name, uses]),
    );
  }

  async #isWhole(netfilter: Netfilter): Promise<boolean> {
    const now = await this.#usesNow(netfilter);
    if (now.size !== this.#uses.size || [...this.#uses].some(([chain, uses]) => now.get(chain) !== uses)) return false;
    const wanted = new Set(
      this.#deps
        .ports()
        .map(mapElement)
        .map(({ map, key }) => `${map} ${Buffer.concat(key).toString('hex')}`),
    );
    let found = 0;
    for (const map of PORT_MAPS) found += await netfilter.countElements(FAMILY.ip, this.#deps.name, map);
    return found === wanted.size;
  }

  /** Removes the table and every accept; the caller holds the mutex. */
  async remove(): Promise<void> {
    using netfilter = new Netfilter();
    await this.#deps.accepts.removeAll(netfilter);
    await nft(`add table ip ${this.#deps.name}\ndelete table ip ${this.#deps.name}\n`);
    this.#uses = new Map();
  }
}

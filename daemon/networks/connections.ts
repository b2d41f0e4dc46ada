import { networkInterfaces } from 'node:os';
import { messageOf } from '../errors/index.ts';
import type { Log } from '../system/log.ts';
import { Netfilter } from '../system/netlink/index.ts';
import type { PublishedPort } from './ruleset.ts';

interface Change {
  port: PublishedPort;
  /** The port was closed; else it was opened. */
  closed: boolean;
}

/** Long enough for an end of a container to be through: unmounting its namespace would wait for the kernel's look. */
const DELAY_MS = 100;

/**
 * Makes the kernel forget connections to published ports that came or went. A client that keeps its source port (most udp ones) would
 * stay with what its first packet met: nobody, or a container that is gone. The kernel looks through its whole table for it, which takes
 * 10 ms and more, so that no start or end waits for it and changes that come together share one look.
 */
export class Connections {
  readonly #log: Log;
  #changes: Change[] = [];
  #working: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  opened(ports: readonly PublishedPort[]): void {
    // Before a tcp port is open it refuses connections, which leaves nothing.
    this.#add(ports.filter(({ protocol }) => protocol === 'udp').map((port) => ({ port, closed: false })));
  }

  closed(ports: readonly PublishedPort[]): void {
    this.#add(ports.map((port) => ({ port, closed: true })));
  }

  #add(changes: Change[]): void {
    if (changes.length === 0) return;
    this.#changes.push(...changes);
    this.#timer ??= setTimeout(() => this.#start(), DELAY_MS).unref();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = this.#changes.splice(0);
    if (changes.length === 0) return;
    this.#working = this.#working
      .then(() => forget(changes))
      .catch((error: unknown) =>
        this.#log.warn('connections to published ports could not be forgotten', { error: messageOf(error) }),
      );
  }

  /** When nothing is under way any more. */
  async close(): Promise<void> {
    this.#start();
    await this.#working;
  }
}

async function forget(changes: readonly Change[]): Promise<void> {
  using netfilter = new Netfilter();
  const local = new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address)));
  // Never what passes through this host to another's port of that number.
  await netfilter.forgetConnections(
    ({ protocol, destination, destinationPort, answering }) =>
      (local.has(destination) || destination.startsWith('127.')) &&
      changes.some(
        ({ port, closed }) =>
          port.protocol === protocol &&
          port.hostPort === destinationPort &&
          (port.hostIp === '' || port.hostIp === '0.0.0.0' || port.hostIp === destination) &&
          answering === (closed ? port.containerIp : destination),
      ),
  );
}

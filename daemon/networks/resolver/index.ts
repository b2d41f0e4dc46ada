/**
 * The name server of the user networks: 127.0.0.11 inside every container on one. It answers for the containers that share a network
 * with the asker and passes the rest on. Its socket listens on a port of its own, to which a rule in the namespace leads port 53, so
 * that a container can run a name server itself.
 */
import type { Log } from '../../system/log.ts';
import { Netfilter } from '../../system/netlink/index.ts';
import { addressBytes } from '../addresses.ts';
import { NAME_SERVER, readHostResolvConf, resolvValues } from '../files.ts';
import type { SandboxRecord } from '../records.ts';
import type { NetworkStore } from '../store.ts';
import type { NetworkContainers } from '../types.ts';
import {
  type Answer,
  cutTo,
  encodeName,
  type Question,
  RCODE,
  readQuestion,
  reply,
  reverseAddress,
  TYPE,
} from './message.ts';
import { addressesOf, mayAskOutside, type NameView, nameOf } from './names.ts';
import { NameServer } from './server.ts';
import { type Transport, Upstream } from './upstream.ts';

/** As Docker's: an answer for a container's name may be kept that long. */
const TTL_SECONDS = 600;
const MAX_MESSAGE = 65_535;
const DNS_PORT = 53;
const FALLBACK_SERVERS = ['8.8.8.8', '8.8.4.4'];

export class NameServers {
  readonly #store: NetworkStore;
  readonly #containers: NetworkContainers;
  readonly #log: Log;
  readonly #servers = new Map<string, NameServer>();
  readonly #upstream = new Upstream();
  #turn = 0;

  constructor(store: NetworkStore, containers: NetworkContainers, log: Log) {
    this.#store = store;
    this.#containers = containers;
    this.#log = log;
  }

  /** Starts the server of a sandbox; gives its port. One whose row has a port already has the rule too. @throws SyscallError */
  async start(sandbox: Pick<SandboxRecord, 'containerId' | 'netnsPath' | 'dnsPort'>): Promise<number> {
    const { containerId, netnsPath, dnsPort } = sandbox;
    this.stop(containerId);
    const server = new NameServer(netnsPath, dnsPort, (query, transport) =>
      this.#handle(containerId, query, transport),
    );
    this.#servers.set(containerId, server);
    if (dnsPort === 0) {
      using netfilter = new Netfilter(netnsPath);
      await netfilter.redirect('galley-dns', addressBytes(NAME_SERVER), DNS_PORT, server.port);
    }
    return server.port;
  }

  /** Idempotent. */
  stop(containerId: string): void {
    this.#servers.get(containerId)?.close();
    this.#servers.delete(containerId);
  }

  close(): void {
    for (const containerId of [...this.#servers.keys()]) this.stop(containerId);
  }

  async #handle(containerId: string, query: Buffer, transport: Transport): Promise<Buffer | undefined> {
    if (query.length < 12) return undefined;
    const question = readQuestion(query);
    const limit = transport === 'tcp' ? MAX_MESSAGE : (question?.udpSize ?? MAX_MESSAGE);
    const own = (rcode: number, answers: readonly Answer[] = []) =>
      reply(query, question, rcode, answers, { ttl: TTL_SECONDS, limit });
    if (!question) return own(RCODE.formatError);
    try {
      const view: NameView = {
        own: this.#store.sandbox(containerId),
        sandboxes: this.#store.sandboxes(),
        networkOf: (id) => this.#store.network(id),
      };
      const answers = this.#answers(view, question);
      if (answers) return own(RCODE.ok, answers);
      if (!mayAskOutside(view)) return own(RCODE.noSuchName);
      const message = await this.#upstream.ask(this.#serversOf(containerId), query, question, transport);
      return message ? cutTo(message, question, limit) : own(RCODE.serverFailure);
    } catch (error) {
      this.#log.warn('a name could not be looked up', {
        container: containerId,
        name: question.name,
        error: String(error),
      });
      return own(RCODE.serverFailure);
    }
  }

  /** What we know ourselves; undefined: somebody else may know. */
  #answers(view: NameView, { name, type }: Question): Answer[] | undefined {
    if (type === TYPE.PTR) {
      const address = reverseAddress(name);
      const known = address && nameOf(view, address);
      return known ? [{ type, data: encodeName(known) }] : undefined;
    }
    if (type !== TYPE.A && type !== TYPE.AAAA) return undefined;
    const addresses = addressesOf(view, name);
    if (!addresses) return undefined;
    if (type === TYPE.AAAA) return []; // the name is there, without such an address
    // Each in turn stands first, so that clients which take the first one share the load.
    this.#turn += 1;
    const shift = this.#turn % addresses.length;
    const turned = [...addresses.slice(shift), ...addresses.slice(0, shift)];
    return turned.map((address) => ({ type, data: addressBytes(address) }));
  }

  /** The container's own servers, else the host's; loopback ones work, since the host asks. */
  #serversOf(containerId: string): string[] {
    const { request } = this.#containers.sandboxRequest(containerId);
    if (request.dns.length > 0) return request.dns;
    const host = resolvValues(readHostResolvConf(), 'nameserver');
    return host.length > 0 ? host : FALLBACK_SERVERS;
  }
}

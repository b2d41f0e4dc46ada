import { networkErrors } from '../errors/networks.ts';
import type { Database } from '../state/index.ts';
import {
  type EndpointRecord,
  type NetworkRecord,
  networkSchema,
  type SandboxRecord,
  sandboxSchema,
} from './records.ts';

export const PREDEFINED: readonly string[] = ['bridge', 'host', 'none'];

export interface Attachment {
  sandbox: SandboxRecord;
  endpoint: EndpointRecord;
}

/** The networks and the live sandboxes of one galleyd: in memory, and in the database before anybody is told. */
export class NetworkStore {
  readonly #db: Database;
  readonly #networkRows;
  readonly #sandboxRows;
  readonly #networks: Map<string, NetworkRecord>;
  readonly #sandboxes: Map<string, SandboxRecord>;

  constructor(db: Database) {
    this.#db = db;
    this.#networkRows = db.documents('networks', (value) => networkSchema.parse(value));
    this.#sandboxRows = db.documents('endpoints', (value) => sandboxSchema.parse(value));
    this.#networks = new Map(this.#networkRows.all().map((record) => [record.id, record]));
    this.#sandboxes = new Map(this.#sandboxRows.all().map((record) => [record.containerId, record]));
  }

  networks(): NetworkRecord[] {
    return [...this.#networks.values()];
  }

  network(id: string): NetworkRecord | undefined {
    return this.#networks.get(id);
  }

  byName(name: string): NetworkRecord | undefined {
    return this.networks().find((network) => network.name === name);
  }

  /** By id, name, or the start of an id. @throws EngineError when several ids start so */
  byReference(reference: string): NetworkRecord | undefined {
    const exact = this.#networks.get(reference) ?? this.byName(reference);
    if (exact || reference === '') return exact;
    const matches = this.networks().filter((network) => network.id.startsWith(reference));
    if (matches.length > 1) throw networkErrors.ambiguous(reference, matches.length);
    return matches[0];
  }

  /** @throws EngineError 404, 400 */
  find(reference: string): NetworkRecord {
    const network = this.byReference(reference);
    if (!network) throw networkErrors.notFound(reference);
    return network;
  }

  saveNetwork(record: NetworkRecord): void {
    this.#networkRows.put(record.id, record);
    this.#networks.set(record.id, record);
  }

  deleteNetwork(id: string): void {
    this.#networks.delete(id);
    this.#networkRows.delete(id);
  }

  sandboxes(): SandboxRecord[] {
    return [...this.#sandboxes.values()];
  }

  sandbox(containerId: string): SandboxRecord | undefined {
    return this.#sandboxes.get(containerId);
  }

  /** A sandbox ends with the host: no commit of one waits for the disk. */
  saveSandbox(record: SandboxRecord): void {
    this.#db.relaxed(() => this.#sandboxRows.put(record.containerId, record));
    this.#sandboxes.set(record.containerId, record);
  }

  deleteSandbox(containerId: string): void {
    this.#sandboxRows.delete(containerId);
    this.#sandboxes.delete(containerId);
  }

  attachedTo(networkId: string): Attachment[] {
    return this.sandboxes().flatMap((sandbox) => {
      const endpoint = sandbox.endpoints.find((candidate) => candidate.networkId === networkId);
      return endpoint ? [{ sandbox, endpoint }] : [];
    });
  }
}

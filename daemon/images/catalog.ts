/**
 * Which images there are and what they are called: the rows of `images`, `image_references`, `blobs` and `image_blobs`, with a copy in
 * memory so that reads cost no query. An image is visible only when its rows are in, which is the last step of a pull.
 */
import { z } from 'zod';
import {
  familiarName,
  familiarString,
  fullString,
  type ImageReference,
  InvalidReferenceError,
  parseReference,
  tagNameOnly,
} from '../../src/api/index.ts';
import { imageErrors } from '../errors/images.ts';
import type { Database } from '../state/index.ts';
import { chainIds, type ImageConfig, imageConfigSchema } from './config.ts';

const recordSchema = z.object({
  /** sha256:… of the config blob. */
  id: z.string(),
  config: imageConfigSchema,
  /** RFC 3339; when a tag last pointed here. */
  lastTagTime: z.string(),
});
export interface ImageRecord {
  id: string;
  config: ImageConfig;
  lastTagTime: string;
}

/** A blob that an image needs: manifests, config, layers. */
export interface BlobRow {
  digest: string;
  size: number;
  mediaType: string;
}

/** @throws EngineError (400) with Docker's text. */
export function parse(text: string): ImageReference {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw imageErrors.invalidReference(error.message);
    throw error;
  }
}

const now = () => new Date().toISOString();

export class Catalog {
  readonly #db: Database;
  readonly #images: Map<string, ImageRecord>;
  /** Full reference (name:tag or name@digest) to image ID. */
  readonly #references: Map<string, string>;

  constructor(db: Database) {
    this.#db = db;
    const table = db.documents('images', (value) => recordSchema.parse(value) as ImageRecord);
    this.#images = new Map(table.all().map((record) => [record.id, record]));
    const rows = db.sql('SELECT reference, image_id FROM image_references ORDER BY rowid').all() as unknown as {
      reference: string;
      image_id: string;
    }[];
    this.#references = new Map(rows.map((row) => [row.reference, row.image_id]));
  }

  all(): ImageRecord[] {
    return [...this.#images.values()];
  }

  get(id: string): ImageRecord | undefined {
    return this.#images.get(id);
  }

  get size(): number {
    return this.#images.size;
  }

  /** The image that a full reference (name:tag, name@digest) points at. */
  idOf(reference: ImageReference): string | undefined {
    return this.#references.get(fullString(reference));
  }

  referencesOf(id: string): ImageReference[] {
    const result: ImageReference[] = [];
    for (const [text, imageId] of this.#references) if (imageId === id) result.push(parseReference(text));
    return result;
  }

  /** `busybox:latest`, sorted. */
  tagsOf(id: string): string[] {
    return this.referencesOf(id)
      .filter((r) => r.digest === undefined)
      .map(familiarString)
      .sort();
  }

  /** `busybox@sha256:…`, sorted. */
  digestsOf(id: string): string[] {
    return this.referencesOf(id)
      .filter((r) => r.digest !== undefined)
      .map(familiarString)
      .sort();
  }

  /**
   * Docker's order: an ID in full, a name, then the prefix of an ID.
   * @throws EngineError when the prefix fits several images.
   */
  find(text: string): ImageRecord | undefined {
    const id = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text)?.[1];
    if (id !== undefined) return this.#images.get(`sha256:${id}`);
    try {
      const reference = tagNameOnly(parseReference(text));
      // With both, the digest says what is meant.
      const wanted = reference.digest === undefined ? reference : { ...reference, tag: undefined };
      const known = this.idOf(wanted);
      if (known !== undefined) return this.#images.get(known);
    } catch (error) {
      if (!(error instanceof InvalidReferenceError)) throw error;
    }
    const prefix = /^(?:sha256:)?([0-9a-f]{1,63})$/.exec(text)?.[1];
    if (prefix === undefined) return undefined;
    const fits = this.all().filter((image) => image.id.startsWith(`sha256:${prefix}`));
    if (fits.length > 1) throw imageErrors.ambiguous(text);
    return fits[0];
  }

  /** Whether a text names an image by its ID, in full or in part, and not by a name. */
  isId(text: string): boolean {
    const id = this.find(text)?.id;
    if (id === undefined || !(id.startsWith(text) || id.startsWith(`sha256:${text}`))) return false;
    return !this.referencesOf(id).some((one) => familiarString(one) === text || familiarName(one) === text);
  }

  /** Whether any tag of a repository is here. */
  hasRepository(text: string): boolean {
    const { name } = parse(text);
    return [...this.#references.keys()].some((one) => one.startsWith(`${name}:`));
  }

  /** Docker's "no such image" text for what a user wrote. */
  notFound(text: string): Error {
    try {
      return imageErrors.noSuchImage(familiarString(tagNameOnly(parseReference(text))));
    } catch {
      return imageErrors.noSuchImage(text); // an ID
    }
  }

  /** @throws EngineError (404, 400 for an ambiguous prefix). */
  need(text: string): ImageRecord {
    const image = this.find(text);
    if (!image) throw this.notFound(text);
    return image;
  }

  /** Writes an image, its blobs and its references in one transaction. Returns false when nothing changed. */
  register(id: string, config: ImageConfig, blobs: readonly BlobRow[], references: readonly ImageReference[]): boolean {
    const texts = references.map(fullString);
    const changed = !this.#images.has(id) || texts.some((text) => this.#references.get(text) !== id);
    const record: ImageRecord = {
      id,
      config,
      lastTagTime: changed ? now() : (this.#images.get(id)?.lastTagTime ?? now()),
    };
    this.#db.transaction(() => {
      this.#put(record);
      this.#addBlobs(id, blobs);
      for (const text of texts) this.#point(text, id);
    });
    this.#images.set(id, record);
    for (const text of texts) this.#references.set(text, id);
    return changed;
  }

  /** Digests of the manifests and indexes that came with an image. */
  manifestsOf(id: string): string[] {
    const rows = this.#db
      .sql(
        "SELECT b.digest FROM image_blobs i JOIN blobs b ON b.digest = i.digest WHERE i.image_id = ? AND (b.media_type LIKE '%manifest%' OR b.media_type LIKE '%image.index%' OR b.media_type = '')",
      )
      .all(id) as unknown as { digest: string }[];
    return rows.map((row) => row.digest);
  }

  /** Digests of everything that an image needs. */
  blobsOf(id: string): string[] {
    const rows = this.#db.sql('SELECT digest FROM image_blobs WHERE image_id = ?').all(id) as unknown as {
      digest: string;
    }[];
    return rows.map((row) => row.digest);
  }

  /** The rows of everything that an image needs. */
  blobRowsOf(id: string): BlobRow[] {
    return this.#db
      .sql(
        'SELECT b.digest, b.size, b.media_type AS mediaType FROM image_blobs i JOIN blobs b ON b.digest = i.digest WHERE i.image_id = ?',
      )
      .all(id) as unknown as BlobRow[];
  }

  /** Notes that a blob was unpacked and is this layer: what a manifest merely claims is not enough to give it to others. */
  noteLayerBlob(diffId: string, blob: BlobRow): void {
    this.#db
      .sql('INSERT OR IGNORE INTO layer_blobs (diff_id, digest, size, media_type) VALUES (?, ?, ?, ?)')
      .run(diffId, blob.digest, blob.size, blob.mediaType);
  }

  /** The blobs that are known to be a layer. */
  layerBlobs(diffId: string): BlobRow[] {
    return this.#db
      .sql('SELECT digest, size, media_type AS mediaType FROM layer_blobs WHERE diff_id = ? ORDER BY rowid')
      .all(diffId) as unknown as BlobRow[];
  }

  /** Forgets what blobs are that no image has and `held` does not name. */
  pruneLayerBlobs(held: ReadonlySet<string>): void {
    const rows = this.#db
      .sql('SELECT DISTINCT digest FROM layer_blobs WHERE digest NOT IN (SELECT digest FROM image_blobs)')
      .all() as unknown as { digest: string }[];
    for (const { digest } of rows)
      if (!held.has(digest)) this.#db.sql('DELETE FROM layer_blobs WHERE digest = ?').run(digest);
  }

  /** The blobs of an image's layers, for an image that is built on it. */
  layerRowsOf(id: string): BlobRow[] {
    const diffIds = this.#images.get(id)?.config.rootfs.diff_ids ?? [];
    const own = new Set(this.blobsOf(id));
    return diffIds.flatMap((diffId) => this.layerBlobs(diffId).filter((blob) => own.has(blob.digest)));
  }

  /** Further blobs of an image that is here, and a digest it is known by: after a push. */
  addBlobs(id: string, blobs: readonly BlobRow[], reference: ImageReference | undefined): void {
    this.#db.transaction(() => {
      this.#addBlobs(id, blobs);
      if (reference) this.#point(fullString(reference), id);
    });
    if (reference) this.#references.set(fullString(reference), id);
  }

  tag(id: string, reference: ImageReference): void {
    const image = this.#images.get(id);
    if (!image) throw imageErrors.noSuchImage(id);
    const record = { ...image, lastTagTime: now() };
    const text = fullString(reference);
    this.#db.transaction(() => {
      this.#put(record);
      this.#point(text, id);
    });
    this.#images.set(id, record);
    this.#references.set(text, id);
  }

  untag(reference: ImageReference): void {
    const text = fullString(reference);
    this.#db.sql('DELETE FROM image_references WHERE reference = ?').run(text);
    this.#references.delete(text);
  }

  /** The rows go; blobs and layers are the garbage collection's. */
  delete(id: string): void {
    this.#db.transaction(() => {
      this.#db.sql('DELETE FROM image_references WHERE image_id = ?').run(id);
      this.#db.sql('DELETE FROM image_blobs WHERE image_id = ?').run(id);
      this.#db.sql('DELETE FROM images WHERE id = ?').run(id);
    });
    this.#images.delete(id);
    for (const [text, imageId] of this.#references) if (imageId === id) this.#references.delete(text);
  }

  /** Digests that images have. */
  liveBlobs(): Set<string> {
    const rows = this.#db.sql('SELECT digest FROM image_blobs').all() as unknown as { digest: string }[];
    return new Set(rows.map((row) => row.digest));
  }

  /** Digests of blobs that images had and no image has now. */
  deadBlobs(): Set<string> {
    const rows = this.#db
      .sql('SELECT digest FROM blobs WHERE digest NOT IN (SELECT digest FROM image_blobs)')
      .all() as unknown as { digest: string }[];
    return new Set(rows.map((row) => row.digest));
  }

  /** The row goes when its file has gone. */
  forgetBlob(digest: string): void {
    this.#db.sql('DELETE FROM blobs WHERE digest = ? AND digest NOT IN (SELECT digest FROM image_blobs)').run(digest);
  }

  /** The chain IDs of all images, with every parent. */
  liveChains(): Set<string> {
    return new Set(this.all().flatMap((image) => chainIds(image.config.rootfs.diff_ids ?? [])));
  }

  #addBlobs(id: string, blobs: readonly BlobRow[]): void {
    for (const blob of blobs) {
      this.#db
        .sql('INSERT OR IGNORE INTO blobs (digest, size, media_type, created) VALUES (?, ?, ?, ?)')
        .run(blob.digest, blob.size, blob.mediaType, Date.now());
      this.#db.sql('INSERT OR IGNORE INTO image_blobs (image_id, digest) VALUES (?, ?)').run(id, blob.digest);
    }
  }

  #put(record: ImageRecord): void {
    this.#db.documents('images', (value) => recordSchema.parse(value) as ImageRecord).put(record.id, record);
  }

  #point(text: string, id: string): void {
    this.#db
      .sql(
        'INSERT INTO image_references (reference, image_id, digest) VALUES (?, ?, ?) ON CONFLICT(reference) DO UPDATE SET image_id = excluded.image_id',
      )
      .run(text, id, /@(.*)$/.exec(text)?.[1] ?? null);
  }
}

/** Untag, delete and prune by Docker's rules (field/engine-api.md section 1.3): which references go first, and what stands in the way. */
import {
  type Filters,
  familiarString,
  fullString,
  type ImageDeleteItem,
  type ImageReference,
  tagNameOnly,
} from '../../src/api/index.ts';
import { EngineError } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import { type Catalog, type ImageRecord, parse } from './catalog.ts';
import { chainIds } from './config.ts';
import { createdMs, imageFilter } from './filters.ts';
import type { ImageEventSink, ImageUsers } from './types.ts';

export interface RemoveDeps {
  catalog: Catalog;
  users: ImageUsers;
  publish: ImageEventSink;
  /** Removes what nothing refers to any more. Gives back the chain IDs of the layers that went and the bytes they took. */
  collect: () => Promise<{ chainIds: string[]; bytes: number }>;
}

const short = (id: string) => id.replace(/^sha256:/, '').slice(0, 12);

/** At most one tag, and every digest reference belongs to its repository. */
function isSingle(references: readonly ImageReference[]): boolean {
  if (references.length <= 1) return true;
  const tags = references.filter((r) => r.digest === undefined);
  const repositories = new Set(references.filter((r) => r.digest !== undefined).map((r) => r.name));
  if (tags.length > 1) return false;
  return repositories.size === 1 && repositories.has((tags[0] ?? references[0])?.name ?? '');
}

function isIdPrefix(id: string, text: string): boolean {
  return id.startsWith(text) || (/^[0-9a-f]+$/.test(text) && id.slice('sha256:'.length).startsWith(text));
}

interface Conflict {
  error: EngineError;
  used: boolean;
}

class Removal {
  readonly items: ImageDeleteItem[] = [];
  readonly #deps: RemoveDeps;

  constructor(deps: RemoveDeps) {
    this.#deps = deps;
  }

  #publish(action: string, image: ImageRecord, id = image.id): void {
    this.#deps.publish(action, id, { ...(image.config.config?.Labels ?? {}), name: id });
  }

  untag(image: ImageRecord, reference: ImageReference): void {
    this.#deps.catalog.untag(reference);
    this.items.push({ Untagged: familiarString(reference) });
    this.#publish('untag', image);
  }

  #conflict(image: ImageRecord, force: boolean, soft: { references: boolean }): Conflict | undefined {
    const users = this.#deps.users.usersOf(image.id);
    const running = users.find((user) => user.running);
    const make = (hard: boolean, used: boolean, why: string): Conflict => ({
      error: imageErrors.deleteConflict(short(image.id), hard, why),
      used,
    });
    if (running) return make(true, true, `image is being used by running container ${short(running.id)}`);
    if (force) return undefined;
    if (soft.references && this.#deps.catalog.referencesOf(image.id).length > 1)
      return make(false, false, 'image is referenced in multiple repositories');
    const stopped = users[0];
    return stopped ? make(false, true, `image is being used by stopped container ${short(stopped.id)}`) : undefined;
  }

  byName(image: ImageRecord, text: string, force: boolean): void {
    const { catalog, users } = this.#deps;
    const user = users.usersOf(image.id)[0];
    if (!force && user && isSingle(catalog.referencesOf(image.id)))
      throw imageErrors.referenceInUse(text, short(user.id), short(image.id));
    const parsed = tagNameOnly(parse(text));
    const reference = parsed.digest === undefined ? parsed : { ...parsed, tag: undefined };
    this.untag(image, reference);
    if (reference.digest === undefined) {
      const left = catalog.referencesOf(image.id).filter((r) => r.name === reference.name);
      if (left.every((r) => r.digest !== undefined)) for (const one of left) this.untag(image, one);
    }
    if (catalog.referencesOf(image.id).length > 0) return;
    this.#delete(image, force, true);
  }

  byId(image: ImageRecord, force: boolean): void {
    const references = this.#deps.catalog.referencesOf(image.id);
    if (isSingle(references)) {
      const conflict = this.#conflict(image, force, { references: false });
      if (conflict) throw conflict.error;
      for (const reference of references) this.untag(image, reference);
    }
    this.#delete(image, force, false);
  }

  /** `quiet`: the name that was asked for is gone already, so an image in use merely stays without one. */
  #delete(image: ImageRecord, force: boolean, quiet: boolean): void {
    const conflict = this.#conflict(image, force, { references: true });
    if (conflict) {
      if (quiet && conflict.used) return;
      throw conflict.error;
    }
    for (const reference of this.#deps.catalog.referencesOf(image.id)) this.untag(image, reference);
    this.#deps.catalog.delete(image.id);
    this.items.push({ Deleted: image.id });
    this.#publish('delete', image);
  }
}

/** Layers that went and belong to these images, top first, as Docker lists them. */
function deletedLayers(images: readonly ImageRecord[], gone: readonly string[]): ImageDeleteItem[] {
  const left = new Set(gone);
  const items: ImageDeleteItem[] = [];
  for (const image of images)
    for (const chainId of chainIds(image.config.rootfs.diff_ids ?? []).reverse())
      if (left.delete(chainId)) items.push({ Deleted: chainId });
  return items;
}

/** @throws EngineError (404, 409). */
export async function removeImage(deps: RemoveDeps, text: string, force: boolean): Promise<ImageDeleteItem[]> {
  const image = deps.catalog.need(text);
  const removal = new Removal(deps);
  if (isIdPrefix(image.id, text)) removal.byId(image, force);
  else removal.byName(image, text, force);
  const { chainIds: gone } = await deps.collect();
  return [...removal.items, ...deletedLayers([image], gone)];
}

/** dangling (the default) or, with dangling=false, every image that no container uses. @throws EngineError for a bad filter. */
export async function pruneImages(
  deps: RemoveDeps,
  filters: Filters,
): Promise<{ ImagesDeleted: ImageDeleteItem[] | null; SpaceReclaimed: number }> {
  const { dangling: danglingValues, ...rest } = filters;
  const danglingOnly = !(danglingValues ?? []).some((value) => ['false', '0'].includes(value));
  const bad = (danglingValues ?? []).find((value) => !['true', 'false', '1', '0'].includes(value));
  if (bad !== undefined) throw imageErrors.badDangling(bad);
  const matches = imageFilter(deps.catalog, rest);
  const removal = new Removal(deps);
  const images: ImageRecord[] = [];
  for (const image of deps.catalog.all().sort((a, b) => createdMs(a) - createdMs(b))) {
    if (deps.users.usersOf(image.id).length > 0 || !matches(image)) continue;
    const references = deps.catalog.referencesOf(image.id);
    if (danglingOnly && references.some((reference) => reference.digest === undefined)) continue;
    try {
      for (const reference of references)
        if (deps.catalog.idOf(reference) === image.id) removal.byName(image, fullString(reference), false);
      if (deps.catalog.get(image.id)) removal.byId(image, false);
      images.push(image);
    } catch (error) {
      // A container took it meanwhile: then it is not unused.
      if (!(error instanceof EngineError) || error.kind !== 'conflict') throw error;
    }
  }
  const { chainIds: gone, bytes } = await deps.collect();
  const items = [...removal.items, ...deletedLayers(images, gone)];
  deps.publish('prune', '', { reclaimed: String(bytes) });
  return { ImagesDeleted: items.length > 0 ? items : null, SpaceReclaimed: bytes };
}

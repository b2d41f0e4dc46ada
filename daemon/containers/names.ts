import { randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import { containerErrors } from '../errors/containers.ts';
import { readAsset } from '../system/assets.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const Lists = z.object({ adjectives: z.array(z.string()).min(1), surnames: z.array(z.string()).min(1) });
export type NameLists = z.infer<typeof Lists>;

/** Strips the leading slash that Docker's API adds and checks the rest. @throws EngineError 400 */
export function checkName(name: string): string {
  const plain = name.startsWith('/') ? name.slice(1) : name;
  if (!NAME.test(plain)) throw containerErrors.badName(name);
  return plain;
}

/** 64 hex digits whose first twelve are not all decimal: a short id of digits only could be read as a number. */
export function newContainerId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^[0-9]{12}/.test(id)) return id;
  }
}

/** assets/names.json of the package. @throws Error when it is not there */
export const readNameLists = (from?: URL): NameLists => Lists.parse(JSON.parse(readAsset('names.json', from)));

/**
 * Docker's generator: adjective_surname, from the second try on with a digit, at last the short id.
 * @param isTaken says whether a name is in use.
 */
export function generateName(lists: NameLists, id: string, isTaken: (name: string) => boolean): string {
  const pick = (list: string[]) => list[randomInt(list.length)] as string;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    const base = `${pick(lists.adjectives)}_${pick(lists.surnames)}`;
    if (base === 'boring_wozniak') continue; // Steve Wozniak is not boring
    const name = attempt === 0 ? base : `${base}${randomInt(10)}`;
    if (!isTaken(name)) return name;
  }
  return id.slice(0, 12);
}

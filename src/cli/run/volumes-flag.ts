import { resolve } from 'node:path';

interface Volumes {
  binds: string[];
  anonymous: Record<string, Record<string, never>>;
}

const isLetter = (text: string) => /^[A-Za-z]$/.test(text);

/** The parts between colons; the one behind a single letter is part of a Windows drive, as Docker reads it. */
function sections(spec: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const character of spec) {
    if (character !== ':' || isLetter(part)) part += character;
    else {
      parts.push(part);
      part = '';
    }
  }
  return [...parts, part];
}

/** --volume: what the engine gets as bind and what as anonymous volume. @throws Error in Docker's words. */
export function volumesOf(list: readonly string[]): Volumes {
  const volumes: Volumes = { binds: [], anonymous: {} };
  for (const spec of list) {
    if (spec === '') throw new Error('invalid empty volume spec');
    const parts = spec.length <= 2 ? [spec] : sections(spec);
    if (parts.slice(0, 3).includes('')) throw new Error(`invalid spec: ${spec}: empty section between colons`);
    if (parts.length > 3) throw new Error(`invalid spec: ${spec}: too many colons`);
    if (parts.length === 1) volumes.anonymous[spec] = {};
    else if (spec.startsWith('.')) {
      // A path relative to here means nothing to an engine.
      const colon = spec.indexOf(':');
      volumes.binds.push(resolve(spec.slice(0, colon)) + spec.slice(colon));
    } else volumes.binds.push(spec);
  }
  return volumes;
}

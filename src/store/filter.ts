/** The filter of the lists. Pure. */

export const FIELDS = ['name', 'image', 'state', 'id', 'label', 'driver'] as const;
export type Field = (typeof FIELDS)[number];

/** True when the letters of `wanted` occur in `text` in this order. */
export function fuzzy(text: string, wanted: string): boolean {
  let at = 0;
  for (const letter of wanted) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/**
 * Every word of `filter` must match: as it is anywhere, or its letters in their order in a name; `!word` must not be
 * there; `state:exited` (or another field) looks only there.
 */
export function matchesFilter(fields: Readonly<Record<Field, string>>, filter: string): boolean {
  if (filter === '') return true;
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const everything = FIELDS.filter((field) => field !== 'label')
    .map((field) => fields[field])
    .join(' ')
    .toLowerCase();
  return words.every((word) => {
    const inverse = word.startsWith('!');
    const bare = inverse ? word.slice(1) : word;
    const colon = bare.indexOf(':');
    const field = FIELDS.find((one) => one === bare.slice(0, colon));
    const wanted = field ? bare.slice(colon + 1) : bare;
    if (wanted === '') return true;
    const text = field ? fields[field].toLowerCase() : everything;
    // What must not be there, and a field, are meant to the letter.
    if (inverse) return !text.includes(wanted);
    if (text.includes(wanted)) return true;
    return !field && (fuzzy(fields.name.toLowerCase(), wanted) || fuzzy(fields.image.toLowerCase(), wanted));
  });
}

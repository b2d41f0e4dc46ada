/** The width of text in terminal cells, and cutting by it. Pure. */

/** East Asian Width W and F of Unicode 17, as ranges of hexadecimal code points. */
const WIDE_TEXT = `
1100-115f 231a-231b 2329-232a 23e9-23ec 23f0 23f3 25fd-25fe 2614-2615 2630-2637 2648-2653 267f
268a-268f 2693 26a1 26aa-26ab 26bd-26be 26c4-26c5 26ce 26d4 26ea 26f2-26f3 26f5 26fa 26fd 2705
270a-270b 2728 274c 274e 2753-2755 2757 2795-2797 27b0 27bf 2b1b-2b1c 2b50 2b55 2e80-2e99 2e9b-2ef3
2f00-2fd5 2ff0-303e 3041-3096 3099-30ff 3105-312f 3131-318e 3190-31e5 31ef-321e 3220-3247 3250-a48c
a490-a4c6 a960-a97c ac00-d7a3 f900-faff fe10-fe19 fe30-fe52 fe54-fe66 fe68-fe6b ff01-ff60 ffe0-ffe6
16fe0-16fe4 16ff0-16ff6 17000-18cda 18cff-18d20 18d80-18df2 18e00-19191 191a0-191d2 1aff0-1aff3
1aff5-1affb 1affd-1affe 1b000-1b128 1b132 1b150-1b152 1b155 1b164-1b168 1b170-1b2fb 1d300-1d356
1d360-1d376 1f004 1f0cf 1f18e 1f191-1f19a 1f1ae 1f200-1f202 1f210-1f23b 1f240-1f248 1f250-1f251
1f260-1f265 1f300-1f320 1f32d-1f335 1f337-1f37c 1f37e-1f393 1f3a0-1f3ca 1f3cf-1f3d3 1f3e0-1f3f0
1f3f4 1f3f8-1f43e 1f440 1f442-1f4fc 1f4ff-1f53d 1f54b-1f54e 1f550-1f567 1f57a 1f595-1f596 1f5a4
1f5fb-1f64f 1f680-1f6c5 1f6cc 1f6d0-1f6d2 1f6d5-1f6d9 1f6dc-1f6df 1f6eb-1f6ec 1f6f4-1f6fc 1f7da
1f7e0-1f7eb 1f7f0 1f90c-1f93a 1f93c-1f945 1f947-1f9ff 1fa70-1fa7c 1fa80-1fac6 1fac8 1facc-1fadd
1fadf-1faeb 1faef-1fafa 20000-2fffd 30000-3fffd`;
const WIDE = WIDE_TEXT.trim()
  .split(/\s+/)
  .map((range) => range.split('-').map((end) => Number.parseInt(end, 16)))
  .map(([low = 0, high = low]) => [low, high] as const);
const NONE = /\p{Mn}|\p{Me}|\p{Cf}|[\u1160-\u11ff]/u;

function isWide(point: number): boolean {
  let [low, high] = [0, WIDE.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last] = WIDE[middle] as readonly [number, number];
    if (point < first) high = middle - 1;
    else if (point > last) low = middle + 1;
    else return true;
  }
  return false;
}

function pointWidth(point: number): number {
  if (point < 0x300) return 1;
  if (NONE.test(String.fromCodePoint(point))) return 0;
  return isWide(point) ? 2 : 1;
}

/** Cells that `text` takes; it holds no control characters. */
export function cells(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += pointWidth(char.codePointAt(0) ?? 0);
  return width;
}

/** Cells of text that may hold SGR sequences; control characters take none. In the bundle it stands in for string-width. */
export function visibleCells(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return cells(text.replace(/\x1b\[[\d;:]*m/g, '').replace(/[\x00-\x1f\x7f-\x9f]/g, ''));
}

/** The part of `text` from cell `from`, at most `width` cells; a wide character that is cut becomes a space. */
export function sliceCells(text: string, from: number, width: number): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text.slice(from, from + width);
  let at = 0;
  let out = '';
  for (const char of text) {
    const size = pointWidth(char.codePointAt(0) ?? 0);
    if (at >= from + width) break;
    if (at >= from && at + size <= from + width) out += char;
    else if (at + size > from && size === 2) out += ' ';
    at += size;
  }
  return out;
}

/** Exactly `width` cells: cut with an ellipsis, or padded (on the left where `right`). */
export function fitCells(text: string, width: number, right = false): string {
  if (width <= 0) return '';
  const size = cells(text);
  if (size === width) return text;
  if (size > width) {
    const cut = `${sliceCells(text, 0, width - 1)}…`;
    return cut + ' '.repeat(Math.max(0, width - cells(cut)));
  }
  const space = ' '.repeat(width - size);
  return right ? space + text : text + space;
}

/** A sentence in lines of at most `width` cells, broken between words where it can be; leading spaces stay. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S)(?=\s)/)) {
    const joined = line + word;
    if (cells(joined) <= width) {
      line = joined;
      continue;
    }
    if (line.trim() !== '') lines.push(line);
    const pieces = wrapCells(line.trim() === '' ? joined : word.trimStart(), width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

/** `text` cut into lines of at most `width` cells; an empty text is one line. */
export function wrapCells(text: string, width: number): string[] {
  const size = cells(text);
  if (size <= width) return [text];
  const lines: string[] = [];
  for (let at = 0; at < size; at += width) lines.push(sliceCells(text, at, width));
  return lines;
}

import type { Key } from 'ink';

const MOUSE = /\[<\d+;\d+;\d+[Mm]/g;

/** Names of the keys in one delivery of Ink, which may hold several letters; `text` is what a text field takes. */
export function keyNames(input: string, key: Key): { names: string[]; text: string } {
  const named: [boolean, string][] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.leftArrow, 'left'],
    [key.rightArrow, 'right'],
    [key.pageDown, 'pgdn'],
    [key.pageUp, 'pgup'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'enter'],
    [key.escape, 'esc'],
    [key.tab, key.shift ? 'shift-tab' : 'tab'],
    [key.backspace || key.delete, 'backspace'],
  ];
  const special = named.find(([pressed]) => pressed);
  if (special) return { names: [special[1]], text: '' };
  if (key.ctrl) return { names: [`ctrl-${input}`], text: '' };
  if (key.meta) return { names: [], text: '' };
  const text = input.replace(MOUSE, '');
  const names = [...text].map((char) =>
    char === '\r' || char === '\n' ? 'enter' : char === '\t' ? 'tab' : char === '\x7f' ? 'backspace' : char,
  );
  return { names, text: text.replace(/[\x00-\x1f\x7f]/g, '') };
}

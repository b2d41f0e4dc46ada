import type { Key } from 'ink';

const TYPED: Readonly<Record<string, string>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  ' ': 'space',
};

/** The letter of a control character, by its code. */
const LETTERS = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/** Names of the keys in one delivery of Ink, which may hold several letters. */
export function keyNames(input: string, key: Key): string[] {
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
  if (special) return [special[1]];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return [];
  return [...input].map((char) => TYPED[char] ?? (char < ' ' ? `ctrl-${LETTERS[char.charCodeAt(0)]}` : char));
}

/** Keys as people call them. */
const SHOWN: Readonly<Record<string, string>> = {
  enter: 'Enter',
  tab: 'Tab',
  'shift-tab': 'Shift-Tab',
  esc: 'Esc',
  space: 'Space',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  pgup: 'PgUp',
  pgdn: 'PgDn',
  home: 'Home',
  end: 'End',
};

/** The name of a key for help and hints. */
export const shownKey = (key: string): string => SHOWN[key] ?? key;

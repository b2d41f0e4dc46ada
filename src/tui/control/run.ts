/** Running a container: the words of `galley run`, given to galley itself, so that the dashboard knows every flag and teaches them. */
import { spawn } from 'node:child_process';
import { cleanLine, selectedRow } from '../../store/index.ts';
import type { Desk } from './desk.ts';

/** The most of the program's words that is kept. */
const WORDS_KEPT = 4_000;

/** Splits as a shell does, as far as quotes and backslashes go. @throws Error for a quote that is not closed */
export function shellWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    if (quote === '' && /\s/.test(char)) {
      if (started) words.push(word);
      word = '';
      started = false;
      continue;
    }
    started = true;
    if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && quote !== "'" && at + 1 < text.length) word += text[++at];
    else word += char;
  }
  if (quote !== '') throw new Error(`the quote ${quote} is not closed`);
  return started ? [...words, word] : words;
}

/** What the field begins with: the selected image, or an example. */
export function runSuggestion(desk: Desk): string {
  const { pane } = desk.view.getState();
  const row = pane === 'images' ? selectedRow(desk.link().facts.current(), desk.view.getState()) : undefined;
  return row ? `${row.name.includes('<none>') ? row.id.slice(7, 19) : row.name}` : '';
}

/** Runs `galley run -d` with these words. A failure comes back into the field with what galley said. */
export function startRun(desk: Desk, text: string): void {
  let words: string[];
  try {
    words = shellWords(text);
  } catch (error) {
    desk.fail(error);
    return;
  }
  const { endpoint } = desk.link();
  const target = endpoint.context ? ['-c', endpoint.context] : ['-H', endpoint.host];
  const show = (line: string, error = '') => desk.set({ dialog: { kind: 'run', text, line, error } });
  show('starting …');
  const child = spawn(process.execPath, [process.argv[1] ?? '', ...target, 'run', '-d', ...words], {
    env: desk.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const open = () => desk.view.getState().dialog?.kind === 'run';
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-WORDS_KEPT);
    const line = cleanLine(said.trimEnd().split('\n').at(-1) ?? '');
    if (open()) show(line);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  child.once('error', desk.fail);
  child.once('close', (code) => {
    const lines = said.trim().split('\n').map(cleanLine);
    if (code === 0) {
      const id = lines.at(-1) ?? '';
      const { selected } = desk.view.getState();
      desk.set({ dialog: undefined, pane: 'containers', selected: { ...selected, containers: id } });
      desk.say(`runs as ${id.slice(0, 12)}`);
    } else if (open())
      show(
        '',
        lines
          .filter((line) => !/^Run '|^$/.test(line))
          .slice(-3)
          .join('\n') || `galley run ended with ${code}`,
      );
  });
}

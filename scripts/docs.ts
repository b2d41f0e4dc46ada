/** Fills the generated sections of README.md from the code's own tables. `--check` only says whether they are current. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { commandTable } from '../src/cli/docs.ts';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The dashboard's key table. The path is computed: the dashboard must not enter this program's types. */
async function keyTable(): Promise<string> {
  const found = ['src/tui/actions.ts', 'src/tui/keys/docs.ts'].find((file) => fs.existsSync(path.join(root, file)));
  if (!found) throw new Error('no key table: src/tui/actions.ts is missing');
  const module = (await import(pathToFileURL(path.join(root, found)).href)) as { keyTable(): string };
  return module.keyTable();
}

/** The table of the last `npm run bench run`, without its title. */
function benchTable(): string | null {
  const file = path.join(root, 'docs/bench-run.md');
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').replace(/^# .*\n+/, '') : null;
}

/** Puts `content` between the markers of a section. @throws Error when the page lacks them */
export function fillSection(page: string, name: string, content: string): string {
  const [open, close] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`];
  const start = page.indexOf(open);
  const end = page.indexOf(close);
  if (start < 0 || end < start) throw new Error(`README.md lacks the markers ${open} and ${close}`);
  return `${page.slice(0, start + open.length)}\n${content.trim()}\n${page.slice(end)}`;
}

/** README.md as it should be. */
export async function renderReadme(): Promise<string> {
  let page = fs.readFileSync(path.join(root, 'README.md'), 'utf8');
  const sections: [string, string | null][] = [
    ['keys', await keyTable()],
    ['commands', commandTable()],
    ['bench', benchTable() ?? 'No figures yet: `npm run bench run` measures and writes them.'],
  ];
  for (const [name, content] of sections) if (content !== null) page = fillSection(page, name, content);
  return page;
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const file = path.join(root, 'README.md');
  const page = await renderReadme();
  if (!process.argv.includes('--check')) fs.writeFileSync(file, page);
  else if (fs.readFileSync(file, 'utf8') !== page) {
    console.error('README.md is not current: npm run docs');
    process.exitCode = 1;
  }
}

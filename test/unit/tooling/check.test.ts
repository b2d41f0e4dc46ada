/** The check must fail on what it forbids: a check that reads nothing passes too. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryRoot } from '../../fixtures/cache.ts';
import { mustRun, type ToolResult, tool } from '../../fixtures/exec.ts';

let copy: string;
beforeAll(async () => {
  copy = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-check-'));
  const parts = ['src', 'daemon', 'tsconfig.json', '.dependency-cruiser.cjs', 'package.json'];
  await mustRun('cp', ['-a', ...parts.map((part) => path.join(repositoryRoot, part)), copy]);
  fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(copy, 'node_modules'));
});
afterAll(() => fs.rmSync(copy, { recursive: true, force: true }));

const check = (name: string): Promise<ToolResult> =>
  tool(process.execPath, [path.join(repositoryRoot, 'scripts/check.mjs'), copy, '--only', name]);

/** Runs the import check with these files planted, and takes them away again. */
async function planted(files: Record<string, string>): Promise<ToolResult> {
  for (const [file, text] of Object.entries(files)) fs.writeFileSync(path.join(copy, file), text);
  try {
    return await check('imports');
  } finally {
    for (const file of Object.keys(files)) fs.rmSync(path.join(copy, file));
  }
}

test('a forbidden import fails the check', async () => {
  const text = "import { openDatabase } from '../../daemon/state/index.ts';\nexport const open = openDatabase;\n";
  const result = await planted({ 'src/client/planted.ts': text });
  expect(result.code).toBe(1);
  expect(result.stdout).toContain('client-not-daemon');
});

test('a forbidden import type fails the check', async () => {
  const text = "import type { NetworkManager } from '../networks/types.ts';\nexport type Planted = NetworkManager;\n";
  const result = await planted({ 'daemon/volumes/planted.ts': text });
  expect(result.code).toBe(1);
  expect(result.stdout).toContain('domains-are-strangers');
});

test('a cycle fails the check', async () => {
  const result = await planted({
    'src/format/planted-a.ts': "import { b } from './planted-b.ts';\nexport const a = () => b;\n",
    'src/format/planted-b.ts': "import { a } from './planted-a.ts';\nexport const b = () => a;\n",
  });
  expect(result.code).toBe(1);
  expect(result.stdout).toContain('no-cycle');
});

test('an unknown check is refused by name', async () => {
  const result = await check('nonsense');
  expect(result.code).toBe(2);
  expect(result.stderr).toContain('no check named nonsense; there are types, lint, imports');
});

import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fillSection, renderReadme } from '../../../scripts/docs.ts';
import { GALLEY_VERSION } from '../../../src/api/index.ts';
import { repositoryRoot } from '../../fixtures/cache.ts';

test('the generated parts of README.md are current (npm run docs renews them)', async () => {
  expect(fs.readFileSync(path.join(repositoryRoot, 'README.md'), 'utf8')).toBe(await renderReadme());
});

test('a page without a section’s markers is refused by name', () => {
  expect(() => fillSection('# galley\n', 'keys', 'x')).toThrow('<!-- generated:keys -->');
});

test('the version in the code is that of package.json', () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(repositoryRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(GALLEY_VERSION).toBe(version);
});

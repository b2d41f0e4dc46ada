import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { installedFlags, unitText } from '../../../src/cli/service.ts';
import { repositoryRoot } from '../../fixtures/cache.ts';

const template = readFileSync(path.join(repositoryRoot, 'assets/galleyd.service'), 'utf8');

it('the unit starts galleyd with the flags given, and they can be read back whatever is in them', () => {
  const flags = [
    '--data-root=/srv/my data',
    '--registry-mirror=http://m:5000',
    '--name=a"b',
    '--log-file=/100%/$HOME\\x',
  ];
  const text = unitText(template, '/opt/my galley/bin/galley', flags);
  expect(text).toContain(
    String.raw`ExecStart="/opt/my galley/bin/galley" daemon "--data-root=/srv/my data" "--registry-mirror=http://m:5000" "--name=a\"b" "--log-file=/100%%/$$HOME\\x"`,
  );
  expect(installedFlags(text)).toEqual(flags);
  expect(text).not.toContain('@');
});

it('without flags the line ends with the command; only galleyd itself is stopped with the unit', () => {
  const text = unitText(template, '/usr/bin/galley', []);
  expect(text).toMatch(/^ExecStart="\/usr\/bin\/galley" daemon$/m);
  expect(installedFlags(text)).toEqual([]);
  expect(text).toMatch(/^KillMode=process$/m);
  expect(text).toMatch(/^Delegate=yes$/m);
});

import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../daemon/images/auth.ts';
import { chainIds } from '../../../daemon/images/config.ts';
import { globMatches, parseUntil } from '../../../daemon/images/filters.ts';
import { insecureMatcher } from '../../../daemon/images/http.ts';
import {
  choosePlatform,
  type Descriptor,
  parseManifest,
  parsePlatform,
  platformScore,
} from '../../../daemon/images/manifest.ts';
import { LayerProgress, progressBar } from '../../../daemon/images/progress.ts';
import { pullReference } from '../../../daemon/images/pull.ts';
import { endpointsFor } from '../../../daemon/images/registry.ts';
import { Semaphore } from '../../../daemon/images/semaphore.ts';
import { fullString, type ProgressMessage } from '../../../src/api/index.ts';

const digest = (char: string) => `sha256:${char.repeat(64)}`;

describe('platforms', () => {
  const entry = (char: string, os: string, architecture: string, variant?: string): Descriptor => ({
    mediaType: '',
    digest: digest(char),
    size: 1,
    platform: { os, architecture, variant },
  });
  it.each([
    ['linux/amd64', 'linux', 'amd64', undefined],
    ['arm64', 'linux', 'arm64', undefined],
    ['linux/arm/v7', 'linux', 'arm', 'v7'],
    ['linux/x86_64', 'linux', 'amd64', undefined],
  ])('reads %s', (text, os, architecture, variant) => {
    expect(parsePlatform(text)).toEqual(variant ? { os, architecture, variant } : { os, architecture });
  });
  it.each(['', 'a/b/c/d', 'linux/ amd64'])('refuses %j', (text) =>
    expect(() => parsePlatform(text)).toThrow('is an invalid platform'),
  );

  it('takes the highest variant that runs, and never an attestation', () => {
    const list = [
      entry('0', 'unknown', 'unknown'),
      entry('1', 'linux', 'arm', 'v5'),
      entry('2', 'linux', 'arm', 'v6'),
      entry('3', 'linux', 'arm', 'v7'),
      entry('4', 'linux', 'arm64', 'v8'),
      entry('5', 'linux', 'amd64'),
    ];
    expect(choosePlatform(list, parsePlatform('linux/arm/v6')).digest).toBe(digest('2'));
    expect(choosePlatform(list, parsePlatform('linux/arm')).digest).toBe(digest('3'));
    expect(choosePlatform(list, parsePlatform('linux/arm64')).digest).toBe(digest('4'));
    expect(choosePlatform(list, parsePlatform('linux/amd64')).digest).toBe(digest('5'));
    expect(() => choosePlatform(list, parsePlatform('linux/riscv64'))).toThrow(
      'no matching manifest for linux/riscv64 in the manifest list entries: it has linux/arm/v5',
    );
    expect(platformScore(parsePlatform('linux/amd64'), { os: 'linux', architecture: 'amd64', variant: 'v3' })).toBe(-1);
  });
});

describe('manifests', () => {
  const raw = (value: unknown) => ({ bytes: Buffer.from(JSON.stringify(value)), digest: digest('a'), mediaType: '' });
  const descriptor = (mediaType: string) => ({ mediaType, digest: digest('b'), size: 3 });
  it.each([
    [{ schemaVersion: 1 }, 'schema 1 image, which is no longer supported'],
    [{}, 'it has no schemaVersion'],
    [
      { schemaVersion: 2, config: { digest: 'md5:1', size: 1 }, layers: [] },
      'the manifest of x cannot be used: config.digest',
    ],
    [
      { schemaVersion: 2, config: descriptor('application/vnd.cncf.helm.config.v1+json'), layers: [] },
      'x is not a container image',
    ],
    [
      {
        schemaVersion: 2,
        config: descriptor('application/vnd.oci.image.config.v1+json'),
        layers: [descriptor('text/plain')],
      },
      'of type text/plain',
    ],
  ])('refuses %j', (value, message) => expect(() => parseManifest(raw(value), 'x')).toThrow(message));
  it('knows an index without a media type', () => {
    expect(parseManifest(raw({ schemaVersion: 2, manifests: [] }), 'x')).toEqual({ kind: 'index', manifests: [] });
  });
});

describe('registries', () => {
  it('reads challenges, quoted commas and several schemes', () => {
    expect(
      parseChallenges('Bearer realm="https://a/t?x=1,2",service="s",scope="repository:a/b:pull,push", Basic realm="z"'),
    ).toEqual([
      { scheme: 'bearer', parameters: { realm: 'https://a/t?x=1,2', service: 's', scope: 'repository:a/b:pull,push' } },
      { scheme: 'basic', parameters: { realm: 'z' } },
    ]);
    expect(parseChallenges('Negotiate abc')).toEqual([]);
  });
  it('allows plain http with loopback and what was named', () => {
    const matches = insecureMatcher(['reg.local:5000', '10.0.0.0/8']);
    for (const host of ['127.0.0.1:5000', '127.9.9.9', 'localhost:1', '[::1]:5000', 'reg.local:5000', '10.1.2.3:80'])
      expect(matches(host)).toBe(true);
    for (const host of ['reg.local:5001', 'docker.io', '11.0.0.1', 'localhost.evil.com'])
      expect(matches(host)).toBe(false);
  });
  it('asks mirrors first, without credentials, for docker.io only', () => {
    const auth = { username: 'u' };
    expect(endpointsFor('docker.io', ['http://m/'], auth)).toEqual([
      { base: 'http://m', auth: undefined, mirror: true },
      { base: 'registry-1.docker.io', auth, mirror: false },
    ]);
    expect(endpointsFor('q.io', ['http://m'], auth)).toEqual([{ base: 'q.io', auth, mirror: false }]);
  });
  it.each([
    ['busybox', undefined, 'docker.io/library/busybox'],
    ['busybox', '1', 'docker.io/library/busybox:1'],
    ['busybox:2', undefined, 'docker.io/library/busybox:2'],
    ['h:5/x', digest('c'), `h:5/x@${digest('c')}`],
  ])('fromImage %s with tag %s', (image, tag, full) => expect(fullString(pullReference(image, tag))).toBe(full));
});

describe('filters and progress', () => {
  it.each([
    ['busybox*', 'busybox:latest', true],
    ['*', 'a/b', false],
    ['*/*', 'a/b', true],
    ['b?x', 'box', true],
    ['b[a-p]x', 'box', true],
    ['a.c', 'abc', false],
    ['[', 'x', false],
  ])('%s matches %s: %s', (pattern, text, expected) => expect(globMatches(pattern, text)).toBe(expected));
  it('reads until', () => {
    expect(parseUntil('1h30m', 10_000_000)).toBe(10_000_000 - 5_400_000);
    expect(parseUntil('1700000000')).toBe(1_700_000_000_000);
    expect(parseUntil('2024-01-02T00:00:00Z')).toBe(Date.UTC(2024, 0, 2));
    expect(() => parseUntil('soon')).toThrow("invalid filter 'until=soon'");
  });
  it('draws the bar and holds back numbers between the first and the last', () => {
    expect(progressBar(500, 1000)).toBe(`[${'='.repeat(25)}>${' '.repeat(24)}]  500B/1kB`);
    const lines: ProgressMessage[] = [];
    const progress = new LayerProgress(digest('d'), (line) => lines.push(line));
    for (let n = 0; n <= 1000; n += 1) progress.amount('Downloading', n, 1000);
    expect(lines.length).toBeLessThan(500);
    expect(lines[0]).toMatchObject({ id: 'd'.repeat(12), progressDetail: { current: 0, total: 1000 } });
    expect(lines.at(-1)?.progressDetail).toEqual({ current: 1000, total: 1000 });
  });
  it('chains diff IDs as the image-spec says', () => {
    const chain = chainIds([digest('1'), digest('2')]);
    expect(chain[0]).toBe(digest('1'));
    expect(chain[1]).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(chainIds([])).toEqual([]);
  });
  it('lets so many in and the rest wait, and who leaves the queue leaves it', async () => {
    const semaphore = new Semaphore(1);
    const never = new AbortController();
    const release = await semaphore.acquire(never.signal);
    const leaver = new AbortController();
    const leaving = semaphore.acquire(leaver.signal);
    const next = semaphore.acquire(never.signal);
    leaver.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
    release();
    release();
    (await next)();
    expect(semaphore.busy).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import {
  familiarString,
  fullString,
  InvalidReferenceError,
  parseReference,
  tagNameOnly,
} from '../../../src/api/index.ts';

const HEX = 'a'.repeat(64);

describe('image references', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['index.docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['docker.io/library/x', 'docker.io/library/x:latest', 'x:latest'],
    ['a/b', 'docker.io/a/b:latest', 'a/b:latest'],
    ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
    ['localhost/x', 'localhost/x:latest', 'localhost/x:latest'],
    ['localhost:5000/a/b:t', 'localhost:5000/a/b:t', 'localhost:5000/a/b:t'],
    ['127.0.0.1:5000/x', '127.0.0.1:5000/x:latest', '127.0.0.1:5000/x:latest'],
    ['[::1]:5000/x', '[::1]:5000/x:latest', '[::1]:5000/x:latest'],
    ['Host/x', 'Host/x:latest', 'Host/x:latest'],
    [`x@sha256:${HEX}`, `docker.io/library/x@sha256:${HEX}`, `x@sha256:${HEX}`],
    [`q.io/x:t@sha256:${HEX}`, `q.io/x:t@sha256:${HEX}`, `q.io/x:t@sha256:${HEX}`],
    ['a__b/c-d/e.f', 'docker.io/a__b/c-d/e.f:latest', 'a__b/c-d/e.f:latest'],
  ])('%s is %s', (text, full, familiar) => {
    const reference = tagNameOnly(parseReference(text));
    expect(fullString(reference)).toBe(full);
    expect(familiarString(reference)).toBe(familiar);
    expect(parseReference(full)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  it.each([
    ['', 'invalid reference format'],
    [':tag', 'invalid reference format'],
    ['a:', 'invalid reference format'],
    ['a:-b', 'invalid reference format'],
    ['a/', 'invalid reference format'],
    ['-a', 'invalid reference format'],
    ['a..b', 'invalid reference format'],
    ['http://host/x', 'invalid reference format'],
    ['x y', 'invalid reference format'],
    ['x@sha256:12', 'invalid reference format'],
    [`x@sha256:${'a'.repeat(40)}`, 'invalid checksum digest length'],
    [`x@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    ['Foo', 'invalid reference format: repository name (library/Foo) must be lowercase'],
    ['q.io/Foo:x', 'invalid reference format: repository name (Foo) must be lowercase'],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    [`q.io/${'a'.repeat(260)}`, 'repository name must not be more than 255 characters'],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseReference(text)).toThrow(new InvalidReferenceError(message));
  });

  it('never throws anything else, and what it takes it takes again, whatever the text', () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
    const alphabet = [
      'a',
      'B',
      '0',
      '.',
      '_',
      '-',
      '/',
      ':',
      '@',
      'sha256:',
      HEX,
      'localhost',
      '[',
      ']',
      ' ',
      'é',
      '\0',
    ];
    for (let round = 0; round < 20_000; round += 1) {
      const text = Array.from({ length: random(9) }, () => alphabet[random(alphabet.length)]).join('');
      try {
        const reference = parseReference(text);
        expect(parseReference(fullString(reference))).toEqual(reference);
        expect(parseReference(familiarString(reference))).toEqual(reference);
      } catch (error) {
        if (!(error instanceof InvalidReferenceError)) throw new Error(`for ${JSON.stringify(text)}`, { cause: error });
      }
    }
  });
});

import { describe, expect, it } from 'vitest';
import { familiarName, fullReference, parseReference } from '../../../src/format/reference.ts';

describe('image references', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox:latest', 'busybox'],
    ['a/b:1', 'docker.io/a/b:1', 'a/b'],
    ['localhost/x', 'localhost/x:latest', 'localhost/x'],
    ['127.0.0.1:5000/lib/nginx:v1', '127.0.0.1:5000/lib/nginx:v1', '127.0.0.1:5000/lib/nginx'],
    ['index.docker.io/library/x', 'docker.io/library/x:latest', 'x'],
    [`x@sha256:${'a'.repeat(64)}`, `docker.io/library/x@sha256:${'a'.repeat(64)}`, 'x'],
  ])('%s is %s, for short %s', (text, full, familiar) => {
    expect(fullReference(text)).toBe(full);
    expect(familiarName(parseReference(text))).toBe(familiar);
  });

  it.each(['', ':x', 'a//b', 'UPPER', 'a:', 'a:b c', 'x@sha256:12', '-a', 'a/../b', 'http://x/y'])(
    '%j is refused',
    (text) => {
      expect(() => parseReference(text)).toThrow('invalid reference format');
    },
  );
});

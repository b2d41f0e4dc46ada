import { describe, expect, test } from 'vitest';
import { detachKeysOf } from '../../../daemon/containers/detach-keys.ts';
import { DetachScanner, parseDetachKeys } from '../../../src/api/index.ts';

describe('detach keys', () => {
  test('reads the syntax', () => {
    expect([...parseDetachKeys('')]).toEqual([16, 17]);
    expect([...parseDetachKeys('ctrl-a,b,ctrl-[')]).toEqual([1, 98, 27]);
    for (const bad of ['ctrl-', 'ctrl-ä', 'ab', ',', 'ä']) {
      expect(() => parseDetachKeys(bad)).toThrow('Unknown character');
      expect(() => detachKeysOf(bad)).toThrow(`Invalid escape keys (${bad}) provided`);
    }
  });
  test('finds the sequence however the input is cut, and passes the rest on', () => {
    const input = Buffer.from('x\x10y\x10\x10\x11never');
    for (let cut = 0; cut <= input.length; cut += 1) {
      const scanner = new DetachScanner(parseDetachKeys(''));
      let out = '';
      let detached = false;
      for (const piece of [input.subarray(0, cut), input.subarray(cut)]) {
        if (detached) break;
        const result = scanner.push(piece);
        out += result.forward.toString();
        detached = result.detached;
      }
      expect(detached).toBe(true);
      expect(out).toBe('x\x10y\x10');
    }
  });
});

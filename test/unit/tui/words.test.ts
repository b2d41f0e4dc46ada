/** The words of `galley run` as they are typed into the dashboard. */
import { describe, expect, it } from 'vitest';
import { shellWords } from '../../../src/tui/control/run.ts';

describe('shell words', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['  -p 80:80   nginx ', ['-p', '80:80', 'nginx']],
    [`busybox sh -c 'echo "a  b"; sleep 1'`, ['busybox', 'sh', '-c', 'echo "a  b"; sleep 1']],
    [`-e "A=x y"z`, ['-e', 'A=x yz']],
    [`a\\ b '' "c\\"d"`, ['a b', '', 'c"d']],
  ])('%s', (text, words) => expect(shellWords(text)).toEqual(words));

  it('a quote that is not closed is said', () =>
    expect(() => shellWords(`sh -c 'x`)).toThrow("the quote ' is not closed"));
});

import { readFileSync } from 'node:fs';

/**
 * The text of a file in assets/ of the package, wherever the code was bundled to: the nearest folder above `from` that has it.
 * @throws Error naming the file when the installation lacks it
 */
export function readAsset(name: string, from: string | URL = import.meta.url): string {
  for (let folder = new URL('.', from); ; folder = new URL('..', folder)) {
    try {
      return readFileSync(new URL(`assets/${name}`, folder), 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
      if (folder.pathname === '/') throw new Error(`assets/${name} is missing from the installation`, { cause: error });
    }
  }
}

import { run } from './spawn.ts';

/** Runs an nft script as one transaction: all of it or nothing. @throws CommandError */
export async function nft(script: string): Promise<void> {
  await run('nft', ['-f', '-'], { input: script });
}

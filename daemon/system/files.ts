import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

/** Makes a rename or a new entry in `directory` durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file so that after a crash either the old or the whole new content is there: tmp, fsync, rename, fsync the folder. */
export async function writeFileDurable(file: string, data: string | Buffer, mode = 0o600): Promise<void> {
  const temporary = `${file}.tmp-${process.pid}-${(counter += 1)}`;
  const handle = await open(temporary, 'w', mode);
  try {
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncDirectory(path.dirname(file));
}
let counter = 0;

/** Replaces a file atomically, without waiting for the disk: for what a crash may lose but never see half written. */
export function replaceFileSync(file: string, data: string | Buffer, mode = 0o600): void {
  const temporary = `${file}.tmp-${process.pid}-${(counter += 1)}`;
  const fd = openSync(temporary, 'w', mode);
  try {
    writeSync(fd, typeof data === 'string' ? Buffer.from(data) : data);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, file);
}

export function syncDirectorySync(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

import { readFileSync, statfsSync } from 'node:fs';
import os from 'node:os';

/** Facts about this host for /info, /version and the dashboard's header. */
export interface Host {
  name: string;
  operatingSystem: string;
  kernelVersion: string;
  /** As `uname -m` says it. */
  machine: string;
  /** As Go says it: amd64, arm64… */
  architecture: string;
  cpus: number;
  memoryBytes: number;
}

const GO_ARCH: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
};

function prettyName(): string {
  try {
    const line = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'));
    return line?.[1] ?? 'Linux';
  } catch {
    return 'Linux'; // a root without os-release is still a Linux
  }
}

export function readHost(): Host {
  return {
    name: os.hostname(),
    operatingSystem: prettyName(),
    kernelVersion: os.release(),
    machine: os.machine(),
    architecture: GO_ARCH[process.arch] ?? process.arch,
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
  };
}

/** Free and total bytes of the file system that holds `path`. */
export function fileSystemSpace(path: string): { free: number; total: number } {
  const facts = statfsSync(path);
  return { free: facts.bavail * facts.bsize, total: facts.blocks * facts.bsize };
}

import type { HostConfig } from '../../src/api/index.ts';
import { runtimeErrors } from '../errors/runtime.ts';
import type { OciProcess } from './types.ts';

/** Capabilities by number (capability.h), for reading bounding sets and for `ALL`. */
export const ALL_CAPABILITIES: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
].map((name) => `CAP_${name}`);

/** What Docker leaves a container (field/engine-api.md section 2.2). */
const DEFAULT: readonly string[] = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
].map((name) => `CAP_${name}`);

function fullName(name: string): string {
  const upper = name.toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
}

/** Names that no kernel knows, as `CAP_…`. */
export function unknownCapabilities(names: readonly string[]): string[] {
  return names.map(fullName).filter((name) => name !== 'ALL' && !ALL_CAPABILITIES.includes(name));
}

/** @throws EngineError for a name that no kernel knows, and for one that this host cannot give */
function normalise(field: 'CapAdd' | 'CapDrop', names: readonly string[], available: readonly string[]): string[] {
  const [unknown] = unknownCapabilities(names);
  if (unknown !== undefined) throw runtimeErrors.unknownCapability(field, unknown);
  return names.map(fullName).map((full) => {
    if (full === 'ALL') return full;
    if (!available.includes(full)) throw runtimeErrors.missingCapability(field, full);
    return full;
  });
}

/**
 * The container's capabilities, limited to what this host can give at all (`bounding`). One that is asked for by name and cannot be
 * had is an error; what --privileged and ALL mean is whatever there is.
 * @throws EngineError
 */
export function chooseCapabilities(
  asked: Pick<HostConfig, 'CapAdd' | 'CapDrop' | 'Privileged'>,
  bounding: readonly string[],
): string[] {
  const add = normalise('CapAdd', asked.CapAdd ?? [], asked.Privileged ? ALL_CAPABILITIES : bounding);
  const drop = normalise('CapDrop', asked.CapDrop ?? [], ALL_CAPABILITIES);
  if (asked.Privileged) return [...bounding];
  const base = add.includes('ALL') ? ALL_CAPABILITIES : drop.includes('ALL') ? [] : DEFAULT;
  return ALL_CAPABILITIES.filter(
    (name) => bounding.includes(name) && (add.includes(name) || (base.includes(name) && !drop.includes(name))),
  );
}

/** Sets of a process: the kernel clears effective and permitted on exec as another user, ambient stays empty. */
export function capabilitySets(granted: string[], uid: number): NonNullable<OciProcess['capabilities']> {
  const effective = uid === 0 ? granted : [];
  return { bounding: granted, effective, permitted: effective, inheritable: [], ambient: [] };
}

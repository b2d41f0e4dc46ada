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

const normalise = (name: string): string => {
  const upper = name.toUpperCase();
  return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
};

/** Names that no kernel knows, as `CAP_…`. */
export function unknownCapabilities(names: readonly string[]): string[] {
  return names.map(normalise).filter((name) => name !== 'ALL' && !ALL_CAPABILITIES.includes(name));
}

/**
 * The container's capabilities, limited to what this host can give at all (`bounding`). `unknown` are names that no kernel knows.
 */
export function chooseCapabilities(
  options: { privileged: boolean; add: readonly string[]; drop: readonly string[] },
  bounding: readonly string[],
): { granted: string[]; unknown: string[] } {
  if (options.privileged) return { granted: [...bounding], unknown: [] };
  const add = options.add.map(normalise);
  const drop = options.drop.map(normalise);
  const unknown = unknownCapabilities([...add, ...drop]);
  const base = add.includes('ALL') ? ALL_CAPABILITIES : drop.includes('ALL') ? [] : DEFAULT;
  const wanted = new Set([...base, ...add]);
  const granted = ALL_CAPABILITIES.filter(
    (name) => wanted.has(name) && (add.includes(name) || !drop.includes(name)) && bounding.includes(name),
  );
  return { granted, unknown };
}

import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import type { HostConfig } from '../../src/api/index.ts';
import { runtimeErrors } from '../errors/runtime.ts';

export interface OciDevice {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
}

interface DeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access: string;
}

/** Pseudo terminals, shared memory and the like are the container's own. */
const OWN_FOLDERS = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);
/** zero, null, urandom, random, tty, console. */
const ALWAYS = [
  [1, 5],
  [1, 3],
  [1, 9],
  [1, 8],
  [5, 0],
  [5, 1],
] as const;
const FUSE = { type: 'c', major: 10, minor: 229 };

function nodeOf(stat: Stats, inside: string): OciDevice | undefined {
  const type = stat.isCharacterDevice() ? 'c' : stat.isBlockDevice() ? 'b' : undefined;
  if (!type) return undefined;
  const dev = BigInt(stat.rdev);
  return {
    path: inside,
    type,
    major: Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)),
    minor: Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn)),
    fileMode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

/** Every device below a folder of the host, at the same place below `inside`; links are not followed. */
function devicesBelow(folder: string, inside: string): OciDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const [file, place] = [path.join(folder, entry.name), path.join(inside, entry.name)];
    if (entry.isDirectory()) return OWN_FOLDERS.has(entry.name) ? [] : devicesBelow(file, place);
    if (entry.name === 'console' || !(entry.isCharacterDevice() || entry.isBlockDevice())) return [];
    const stat = statSync(file, { throwIfNoEntry: false }); // unplugged meanwhile
    return (stat && nodeOf(stat, place)) ?? [];
  });
}

/** The device at a path of the host, or all those of a folder, links followed. @throws EngineError in Docker's words */
function devicesAt(hostPath: string, inside: string): OciDevice[] {
  const stat = statSync(hostPath, { throwIfNoEntry: false });
  if (!stat) throw runtimeErrors.badDevice(hostPath, 'no such file or directory');
  const found = stat.isDirectory() ? devicesBelow(realpathSync(hostPath), inside) : [nodeOf(stat, inside)];
  const devices = found.filter((device) => device !== undefined);
  if (devices.length === 0) throw runtimeErrors.badDevice(hostPath, 'not a device node');
  return devices;
}

/** Numbers of a device that a limit is for. @throws EngineError */
export function deviceNumbers(hostPath: string): { major: number; minor: number } {
  const { major, minor } = devicesAt(hostPath, hostPath)[0] as OciDevice;
  return { major, minor };
}

/** `--device-cgroup-rule 'c 42:* rwm'`. @throws EngineError */
function parseRule(rule: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(rule);
  if (!match) throw runtimeErrors.badDeviceRule(rule);
  const [, type = '', major = '', minor = '', access = ''] = match;
  return {
    allow: true,
    type,
    ...(major === '*' ? {} : { major: Number(major) }),
    ...(minor === '*' ? {} : { minor: Number(minor) }),
    access,
  };
}

/** @throws EngineError naming the first that is not one */
export function parseDeviceRules(rules: readonly string[] | null): DeviceRule[] {
  return (rules ?? []).map(parseRule);
}

/** The nodes that a container finds, and the rules that let it use them (field/engine-api.md section 2.2). @throws EngineError */
export function buildDevices(hostConfig: HostConfig): { devices: OciDevice[]; rules: DeviceRule[] } {
  const asked = (hostConfig.Devices ?? []).map((device) => ({
    access: device.CgroupPermissions || 'rwm',
    nodes: devicesAt(device.PathOnHost, device.PathInContainer || device.PathOnHost),
  }));
  const devices = asked.flatMap(({ nodes }) => nodes);
  if (hostConfig.Privileged) {
    const places = new Set(devices.map((device) => device.path));
    const others = devicesBelow('/dev', '/dev').filter((device) => !places.has(device.path));
    return { devices: [...devices, ...others], rules: [{ allow: true, access: 'rwm' }] };
  }
  return {
    devices,
    rules: [
      { allow: false, access: 'rwm' },
      ...ALWAYS.map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
      { allow: false, ...FUSE, access: 'rwm' },
      ...asked.flatMap(({ nodes, access }) =>
        nodes.map(({ type, major, minor }) => ({ allow: true, type, major, minor, access })),
      ),
      ...parseDeviceRules(hostConfig.DeviceCgroupRules),
    ],
  };
}

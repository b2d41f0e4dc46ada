/** IPv4 arithmetic on plain numbers. */
export interface Subnet {
  base: number;
  bits: number;
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** The network of "10.1.2.3/16"; undefined when it is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^([\d.]+)\/(\d{1,2})$/.exec(text);
  const address = match ? parseAddress(match[1] as string) : undefined;
  const bits = Number(match?.[2]);
  if (address === undefined || bits > 32) return undefined;
  return { base: address - (address % 2 ** (32 - bits)), bits };
}

export const formatSubnet = ({ base, bits }: Subnet): string => `${formatAddress(base)}/${bits}`;
export const subnetSize = ({ bits }: Subnet): number => 2 ** (32 - bits);
export const contains = (subnet: Subnet, address: number): boolean =>
  address >= subnet.base && address < subnet.base + subnetSize(subnet);
export const overlaps = (a: Subnet, b: Subnet): boolean => contains(a, b.base) || contains(b, a.base);

/** Docker's default pools: 172.17.0.0/16 to 172.31.0.0/16, then sixteen /20 of 192.168.0.0 (field/engine-api.md section 2.9). */
export function* defaultPools(): Generator<Subnet> {
  for (let i = 17; i <= 31; i += 1) yield { base: (172 * 256 + i) * 65536, bits: 16 };
  for (let i = 0; i < 16; i += 1) yield { base: (192 * 256 + 168) * 65536 + i * 4096, bits: 20 };
}

/** The first default pool that overlaps nothing of `taken`. */
export function freePool(taken: readonly Subnet[]): Subnet | undefined {
  for (const pool of defaultPools()) if (!taken.some((other) => overlaps(pool, other))) return pool;
  return undefined;
}

/** A free address from `first` to `last` after the one given last, so that an address is not reused at once; undefined when all are taken. */
export function nextAddress(first: number, last: number, used: ReadonlySet<number>, given: number): number | undefined {
  const count = last - first + 1;
  for (let i = 0; i < count; i += 1) {
    const candidate = first + ((given - first + 1 + i + count) % count);
    if (!used.has(candidate)) return candidate;
  }
  return undefined;
}

/** For netlink. */
export const addressBytes = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

/** Docker's MAC of an address: locally administered 02:42 and the four bytes. */
export function macOf(address: number): string {
  return [
    '02',
    '42',
    ...formatAddress(address)
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0')),
  ].join(':');
}

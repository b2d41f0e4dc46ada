/** Who is called what on the networks of a container. Pure. */
import type { NetworkRecord, SandboxRecord } from '../records.ts';

export interface NameView {
  /** The one who asks. */
  own: SandboxRecord | undefined;
  sandboxes: readonly SandboxRecord[];
  networkOf(id: string): NetworkRecord | undefined;
}

/** The user networks that the asker is on: only there names have a meaning. */
function networksOf(view: NameView): NetworkRecord[] {
  return (view.own?.endpoints ?? []).flatMap(({ networkId }) => {
    const network = view.networkOf(networkId);
    return network && network.name !== 'bridge' ? [network] : [];
  });
}

/** Addresses behind a name, `name` or `name.network`, or an alias that the asker alone uses; undefined when nobody is called so. */
export function addressesOf(view: NameView, wanted: string): string[] | undefined {
  const found: string[] = [];
  for (const network of networksOf(view)) {
    const suffix = `.${network.name.toLowerCase()}`;
    const own = view.own?.endpoints.find(({ networkId }) => networkId === network.id);
    const linked = own?.links[wanted];
    const names = linked
      ? [linked.toLowerCase()]
      : wanted.endsWith(suffix)
        ? [wanted, wanted.slice(0, -suffix.length)]
        : [wanted];
    for (const { endpoints } of view.sandboxes)
      for (const { networkId, aliases, address } of endpoints)
        if (networkId === network.id && aliases.some((alias) => names.includes(alias.toLowerCase())))
          found.push(address);
  }
  return found.length > 0 ? [...new Set(found)] : undefined;
}

/** `name.network` of whoever has the address. */
export function nameOf(view: NameView, address: string): string | undefined {
  for (const network of networksOf(view))
    for (const { endpoints } of view.sandboxes)
      for (const { networkId, aliases, address: candidate } of endpoints)
        if (networkId === network.id && candidate === address && aliases[0]) return `${aliases[0]}.${network.name}`;
  return undefined;
}

/** False where every network of the asker is internal: nothing is asked outside for it. */
export function mayAskOutside(view: NameView): boolean {
  return (view.own?.endpoints ?? []).some(({ networkId }) => view.networkOf(networkId)?.internal === false);
}

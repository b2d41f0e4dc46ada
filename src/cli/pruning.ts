/** What nothing uses any more, removed kind by kind (docker's prune commands). */
import type { ImageDeleteItem } from '../api/images.ts';
import { encodeFilters } from '../client/core.ts';
import type { RawEngineClient } from '../client/engine.ts';

export type PruneKind = 'container' | 'network' | 'volume' | 'image';
type Filters = Record<string, string[]>;

interface Answer {
  ContainersDeleted?: string[] | null;
  NetworksDeleted?: string[] | null;
  VolumesDeleted?: string[] | null;
  ImagesDeleted?: ImageDeleteItem[] | null;
  SpaceReclaimed?: number;
}

const KINDS: Readonly<Record<PruneKind, { path: string; title: string; gone(answer: Answer): string[] }>> = {
  container: {
    path: '/containers/prune',
    title: 'Deleted Containers:',
    gone: (answer) => answer.ContainersDeleted ?? [],
  },
  network: { path: '/networks/prune', title: 'Deleted Networks:', gone: (answer) => answer.NetworksDeleted ?? [] },
  volume: { path: '/volumes/prune', title: 'Deleted Volumes:', gone: (answer) => answer.VolumesDeleted ?? [] },
  image: {
    path: '/images/prune',
    title: 'Deleted Images:',
    gone: (answer) =>
      (answer.ImagesDeleted ?? []).map((item) =>
        'Untagged' in item ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`,
      ),
  },
};

/** Removes; gives back docker's lines (none when nothing went) and the bytes that are free again. */
export async function prune(
  client: RawEngineClient,
  kind: PruneKind,
  filters: Filters,
): Promise<{ text: string; bytes: number }> {
  const { path, title, gone } = KINDS[kind];
  const answer = await client.json<Answer>('POST', path, { query: { filters: encodeFilters(filters) } });
  const lines = gone(answer);
  return {
    text: lines.length > 0 ? `${title}\n${lines.map((line) => `${line}\n`).join('')}\n` : '',
    bytes: answer.SpaceReclaimed ?? 0,
  };
}

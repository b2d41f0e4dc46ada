import type { ContainerSummary } from '../../api/containers.ts';
import type { ImageSummary } from '../../api/images.ts';
import type { Volume } from '../../api/networks.ts';
import { humanSize } from '../../format/units.ts';
import { formatList, type Row } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { containerRow } from './ps.ts';

interface DiskUsage {
  LayersSize: number;
  Images: ImageSummary[] | null;
  Containers: ContainerSummary[] | null;
  Volumes: Volume[] | null;
}

const HEADERS = { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' };
const sum = (list: number[]) => list.reduce((total, one) => total + Math.max(one, 0), 0);

function row(Type: string, total: number, active: number, size: number, free: number): Row {
  const share = size > 0 ? ` (${Math.trunc((free * 100) / size)}%)` : '';
  return {
    Type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(size),
    Reclaimable: `${humanSize(free)}${share}`,
  };
}

function summary({ LayersSize, Images, Containers, Volumes }: DiskUsage): Row[] {
  const images = Images ?? [];
  const used = images.filter((image) => image.Containers > 0);
  const known = used.filter((image) => image.Size >= 0 && image.SharedSize >= 0);
  const containers = Containers ?? [];
  const running = (one: ContainerSummary) => ['running', 'paused', 'restarting'].includes(one.State);
  const volumes = Volumes ?? [];
  const idle = volumes.filter((volume) => volume.UsageData?.RefCount === 0);
  const written = (list: ContainerSummary[]) => sum(list.map((one) => one.SizeRw ?? 0));
  const held = (list: Volume[]) => sum(list.map((volume) => volume.UsageData?.Size ?? 0));
  return [
    row(
      'Images',
      images.length,
      used.length,
      LayersSize,
      LayersSize - sum(known.map((image) => image.Size - image.SharedSize)),
    ),
    row(
      'Containers',
      containers.length,
      containers.filter(running).length,
      written(containers),
      written(containers.filter((one) => !running(one))),
    ),
    row('Local Volumes', volumes.length, volumes.length - idle.length, held(volumes), held(idle)),
  ];
}

/** The three lists of -v: what each object takes. */
function verbose({ Images, Containers, Volumes }: DiskUsage): string {
  const table = (columns: string[], rows: string[][]) =>
    formatList({
      headers: Object.fromEntries(columns.map((column) => [column, column])),
      columns,
      rows: rows.map((cells) => Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']))),
      format: '',
    });
  const size = (bytes: number | undefined) => (bytes === undefined || bytes < 0 ? 'N/A' : humanSize(bytes));
  const now = Date.now();
  const images = (Images ?? []).map((image) => {
    const name = image.RepoTags?.[0] ?? '<none>:<none>';
    const colon = name.lastIndexOf(':');
    const shared = image.SharedSize;
    return [
      name.slice(0, colon),
      name.slice(colon + 1),
      image.Id.replace(/^sha256:/, '').slice(0, 12),
      size(image.Size),
      size(shared),
      size(image.Size - Math.max(shared, 0)),
      String(image.Containers),
    ];
  });
  const containers = (Containers ?? []).map((container) => {
    const shown = containerRow(container, true, now);
    return ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'].map((field) =>
      String(shown[field] ?? ''),
    );
  });
  const volumes = (Volumes ?? []).map((volume) => [
    volume.Name,
    String(volume.UsageData?.RefCount ?? 'N/A'),
    size(volume.UsageData?.Size),
  ]);
  return [
    `Images space usage:\n\n${table(['REPOSITORY', 'TAG', 'IMAGE ID', 'SIZE', 'SHARED SIZE', 'UNIQUE SIZE', 'CONTAINERS'], images)}`,
    `Containers space usage:\n\n${table(['CONTAINER ID', 'IMAGE', 'COMMAND', 'LOCAL VOLUMES', 'SIZE', 'CREATED', 'STATUS', 'NAMES'], containers)}`,
    `Local Volumes space usage:\n\n${table(['VOLUME NAME', 'LINKS', 'SIZE'], volumes)}`,
  ].join('\n');
}

/** `galley system df`: what images, containers and volumes take on the disk, and what of it nothing uses. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const usage = await client.json<DiskUsage>('GET', '/system/df');
  const format = args.string('format');
  if (args.bool('verbose') && format === '') context.out(verbose(usage));
  else context.out(formatList({ headers: HEADERS, columns: Object.keys(HEADERS), rows: summary(usage), format }));
  return 0;
}

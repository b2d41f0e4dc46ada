import type { ContainerSummary } from '../../api/containers.ts';
import { humanDuration } from '../../api/durations.ts';
import { familiarName, parseReference } from '../../api/references.ts';
import { ellipsis, goQuote } from '../../format/json-text.ts';
import { TemplateError } from '../../format/template-parser.ts';
import { goTime, humanSize } from '../../format/units.ts';
import { ExitError } from '../errors.ts';
import { filtersOf, listText, type Row } from '../lists.ts';
import { displayPorts } from '../ports.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = {
  ID: 'CONTAINER ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Labels: 'LABELS',
  Label: 'LABEL',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
};
const COLUMNS = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];
const RAW: [string, string][] = [
  ['container_id', 'ID'],
  ['image', 'Image'],
  ['command', 'Command'],
  ['created_at', 'CreatedAt'],
  ['state', 'State'],
  ['status', 'Status'],
  ['names', 'Names'],
  ['labels', 'Labels'],
  ['ports', 'Ports'],
];
const SHORT_ID = 12;

const short = (id: string) => id.replace(/^sha256:/, '').slice(0, SHORT_ID);

/** The image as it was named at create, without the digest; a bare id is shortened. */
function imageText(container: ContainerSummary): string {
  if (container.Image === '') return '<no image>';
  if (short(container.ImageID) === short(container.Image)) return short(container.Image);
  try {
    const reference = parseReference(container.Image);
    return `${familiarName(reference)}${reference.tag ? `:${reference.tag}` : ''}`;
  } catch {
    return container.Image;
  }
}

function sizeText(container: ContainerSummary): string {
  const own = humanSize(container.SizeRw ?? 0, 3);
  const virtual = container.SizeRootFs ?? 0;
  return virtual > 0 ? `${own} (virtual ${humanSize(virtual, 3)})` : own;
}

/** The row of one container; `now` in milliseconds. */
export function containerRow(container: ContainerSummary, trunc: boolean, now: number): Row {
  const names = container.Names.map((name) => name.replace(/^\//, ''));
  const labels = container.Labels ?? {};
  const mountNames = (container.Mounts ?? []).map((mount) => mount.Name || mount.Source);
  return {
    ID: trunc ? container.Id.slice(0, SHORT_ID) : container.Id,
    Names: (trunc ? names.filter((name) => !name.includes('/')) : names).join(','),
    Image: trunc ? imageText(container) : container.Image || '<no image>',
    Command: goQuote(trunc ? ellipsis(container.Command, 20) : container.Command),
    CreatedAt: goTime(container.Created),
    RunningFor: `${humanDuration(now - container.Created * 1000)} ago`,
    Ports: displayPorts(container.Ports ?? []),
    State: container.State,
    Status: container.Status,
    Size: sizeText(container),
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (name = '') => labels[name] ?? '',
    Mounts: mountNames.map((name) => (trunc ? ellipsis(name, 15) : name)).join(','),
    LocalVolumes: String((container.Mounts ?? []).filter((mount) => mount.Driver === 'local').length),
    Networks: Object.keys(container.NetworkSettings?.Networks ?? {}).join(','),
    // Only engines with several platforms of one image tell it.
    Platform: null,
  };
}

/** `galley ps`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const quiet = args.bool('quiet');
  const asked = args.string('format');
  const ignored = quiet && !['', 'table', 'raw'].includes(asked);
  if (ignored) context.err('WARNING: Ignoring custom format, because both --format and --quiet are set.\n');
  const format = ignored ? '' : asked;
  const last = args.bool('latest') ? 1 : (args.number('last') as number);
  const size = args.bool('size') || /\.Size\b|\{\{\s*json \.\s*\}\}/.test(format);
  const client = await context.client();
  const containers = await client.listContainers({
    all: args.bool('all'),
    ...(last > 0 ? { limit: last } : {}),
    size,
    filters: filtersOf(args.list('filter')),
  });
  const trunc = !args.bool('no-trunc');
  const rows = containers.map((container) => containerRow(container, trunc, Date.now()));
  const columns = args.bool('size') ? [...COLUMNS, 'Size'] : COLUMNS;
  const listing = { headers: HEADERS, columns, rows, format, methods: ['Label'], type: '*formatter.ContainerContext' };
  try {
    context.out(listText({ ...listing, raw: args.bool('size') ? [...RAW, ['size', 'Size']] : RAW }, quiet, 'ID'));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new ExitError(1, `failed to ${error.phase} template: ${error.message}`);
  }
  return 0;
}

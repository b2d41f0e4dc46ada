import type { Volume } from '../../api/networks.ts';
import { compareNatural } from '../../format/natural.ts';
import { humanSize } from '../../format/units.ts';
import { filtersOf, listText, type Row } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = {
  Name: 'VOLUME NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  Availability: 'AVAILABILITY',
  Mountpoint: 'MOUNTPOINT',
  Labels: 'LABELS',
  Label: 'LABEL',
  Links: 'LINKS',
  Size: 'SIZE',
  Group: 'GROUP',
  Status: 'STATUS',
};

function volumeRow(volume: Volume): Row {
  const labels = volume.Labels ?? {};
  const usage = volume.UsageData;
  return {
    Name: volume.Name,
    Driver: volume.Driver,
    Scope: volume.Scope,
    Mountpoint: volume.Mountpoint,
    Labels: Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Label: (name = '') => labels[name] ?? '',
    Links: usage ? String(usage.RefCount) : 'N/A',
    Size: usage ? humanSize(usage.Size) : 'N/A',
    Availability: 'N/A',
    Group: 'N/A',
    Status: 'N/A',
  };
}

/** `galley volume ls`, by name. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const volumes = await client.listVolumes({ filters: filtersOf(args.list('filter')) });
  volumes.sort((a, b) => compareNatural(a.Name, b.Name));
  const rows = volumes.map(volumeRow);
  context.out(
    listText(
      {
        headers: HEADERS,
        columns: ['Driver', 'Name'],
        rows,
        format: args.string('format'),
        methods: ['Label'],
        type: '*formatter.volumeContext',
        raw: [
          ['name', 'Name'],
          ['driver', 'Driver'],
        ],
      },
      args.bool('quiet'),
      'Name',
    ),
  );
  return 0;
}

import type { ContainerStats } from '../../api/containers.ts';
import { usageOf } from '../../format/stats.ts';
import { binarySize, humanSize } from '../../format/units.ts';
import { formatList, type Row } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = {
  Container: 'CONTAINER',
  ID: 'CONTAINER ID',
  Name: 'NAME',
  CPUPerc: 'CPU %',
  MemUsage: 'MEM USAGE / LIMIT',
  MemPerc: 'MEM %',
  NetIO: 'NET I/O',
  BlockIO: 'BLOCK I/O',
  PIDs: 'PIDS',
};
const COLUMNS = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'];

interface Subject {
  asked: string;
  id: string;
  name: string;
  sample: ContainerStats | undefined;
}

function statsRow({ asked, id, name, sample }: Subject, trunc: boolean): Row {
  const usage = sample ? usageOf(sample) : undefined;
  return {
    Container: asked,
    ID: trunc ? id.slice(0, 12) : id,
    Name: name.replace(/^\//, '') || '--',
    CPUPerc: usage ? `${usage.cpuPercent.toFixed(2)}%` : '--',
    MemUsage: usage ? `${binarySize(usage.memory)} / ${binarySize(usage.memoryLimit)}` : '-- / --',
    MemPerc: usage ? `${usage.memoryPercent.toFixed(2)}%` : '--',
    NetIO: usage ? `${humanSize(usage.received, 3)} / ${humanSize(usage.sent, 3)}` : '--',
    BlockIO: usage ? `${humanSize(usage.blockRead, 3)} / ${humanSize(usage.blockWritten, 3)}` : '--',
    PIDs: usage ? String(usage.pids) : '--',
  };
}

/** `galley stats`: a table that is redrawn every second on a terminal, appended otherwise; --no-stream is one sample. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  const named = args.positionals;
  const listed = named.length > 0 ? [] : await client.listContainers({ all: args.bool('all') });
  const subjects: Subject[] =
    named.length > 0
      ? named.map((asked) => ({ asked, id: '', name: '', sample: undefined }))
      : listed.map((one) => ({ asked: one.Id.slice(0, 12), id: one.Id, name: one.Names[0] ?? '', sample: undefined }));
  const show = () =>
    formatList({
      headers: HEADERS,
      columns: COLUMNS,
      rows: subjects.map((one) => statsRow(one, !args.bool('no-trunc'))),
      format: args.string('format'),
      type: '*container.statsContext',
    });
  const take = (subject: Subject, sample: ContainerStats) => {
    subject.id = sample.id || subject.id;
    subject.name = sample.name || subject.name;
    subject.sample = sample.cpu_stats ? sample : undefined;
  };
  if (args.bool('no-stream')) {
    await Promise.all(
      subjects.map(async (subject) => take(subject, await client.getContainer(subject.id || subject.asked).stats())),
    );
    context.out(show());
    return 0;
  }
  const { streamStats } = await import('../stats-stream.ts');
  return streamStats(context, client, { subjects, take, show, follow: named.length === 0 });
}

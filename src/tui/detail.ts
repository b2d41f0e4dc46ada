import { FrameDecoder } from '../api/index.ts';
import type { EngineClient } from '../client/types.ts';
import type { Pane, Row } from './rows.ts';
import { cleanLine } from './text.ts';

export type Tab = 'logs' | 'inspect';
/** Lines kept of a log: what a screen can scroll, whatever the container prints. */
const KEEP = 2000;
const LINE_LIMIT = 4096;

async function followLogs(
  client: EngineClient,
  id: string,
  signal: AbortSignal,
  show: (lines: string[]) => void,
): Promise<void> {
  const log = await client.getContainer(id).logs({ stdout: true, stderr: true, follow: true, tail: 200, signal });
  let lines: string[] = [];
  let open = '';
  const take = (data: Buffer) => {
    const pieces = (open + data.toString('utf8')).split('\n');
    open = (pieces.pop() ?? '').slice(-LINE_LIMIT);
    lines = [...lines, ...pieces.map((piece) => cleanLine(piece.slice(0, LINE_LIMIT)))].slice(-KEEP);
  };
  const decoder = log.multiplexed ? new FrameDecoder((_stream, data) => take(data)) : null;
  let drawing = false;
  for await (const chunk of log.body as AsyncIterable<Buffer>) {
    if (decoder) decoder.push(chunk);
    else take(chunk);
    // Drawn at most ten times a second, whatever the container prints.
    if (drawing) continue;
    drawing = true;
    setTimeout(() => {
      drawing = false;
      if (!signal.aborted) show(open ? [...lines, cleanLine(open)] : lines);
    }, 100);
  }
}

/** Shows one object's detail until `signal` aborts; a failure becomes the text. */
export async function loadDetail(
  client: EngineClient,
  pane: Pane,
  tab: Tab,
  row: Row,
  signal: AbortSignal,
  show: (lines: string[]) => void,
): Promise<void> {
  try {
    if (pane === 'containers' && tab === 'logs') await followLogs(client, row.id, signal, show);
    else {
      const object =
        pane === 'containers'
          ? await client.getContainer(row.id).inspect()
          : pane === 'images'
            ? await client.getImage(row.id).inspect()
            : await client.getVolume(row.id).inspect();
      if (!signal.aborted) show(JSON.stringify(object, null, 2).split('\n').map(cleanLine));
    }
  } catch (error) {
    if (!signal.aborted) show([error instanceof Error ? error.message : String(error)]);
  }
}

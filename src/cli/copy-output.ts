/** An engine's output stream on stdout and stderr. Apart from session.ts, because `logs` needs no terminal module. */
import { FrameDecoder, STREAM } from '../api/framing.ts';
import type { HijackedStream, LogStream } from '../client/types.ts';
import { err, out } from './output.ts';

/** Copies frames to stdout and stderr, or raw bytes to stdout. Resolves at the end of the stream. */
export async function copyOutput(
  source: HijackedStream['socket'] | LogStream['body'],
  multiplexed: boolean,
): Promise<void> {
  const decoder = new FrameDecoder((type, data) => {
    if (type === STREAM.systemError) throw new Error(`error from daemon in stream: ${data.toString('utf8')}`);
    if (type === STREAM.stderr) err(data);
    else out(data);
  });
  for await (const chunk of source) {
    if (multiplexed) decoder.push(chunk as Buffer);
    else out(chunk as Buffer);
  }
}

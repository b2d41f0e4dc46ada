/**
 * Worker thread: puts layers on disk, one after the other, hashing each uncompressed tar on the way. A tar comes from a blob on disk,
 * or as messages that are answered one by one, so that a slow disk slows the sender. The last answer to a job is its result.
 */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { LayerJob, type LayerResult, type UnpackJob } from './layer-job.ts';
import { TarError } from './tar-fields.ts';

export type WorkerInput = { job: UnpackJob } | { chunk: Uint8Array } | { end: true } | { abort: true };
export type WorkerAnswer =
  | { taken: true }
  | { progress: number }
  | ({ done: true } & LayerResult)
  | { failed: string; code: string };

if (!parentPort) throw new Error('unpack-worker runs as a worker thread only');
const port: MessagePort = parentPort;
const answer = (message: WorkerAnswer) => port.postMessage(message);

let present: LayerJob | undefined;

async function work(job: LayerJob): Promise<void> {
  try {
    answer({ done: true, ...(await job.toTheEnd()) });
  } catch (error) {
    const where = job.current ? ` (at entry ${JSON.stringify(job.current)})` : '';
    const words = error instanceof Error ? error.message : String(error);
    const code = (error as NodeJS.ErrnoException).code ?? '';
    answer({ failed: error instanceof TarError ? words : `${words}${where}`, code });
  }
}

port.on('message', (message: WorkerInput) => {
  if ('job' in message) {
    present = new LayerJob(message.job, {
      taken: () => answer({ taken: true }),
      progress: (progress) => answer({ progress }),
    });
    void work(present);
  } else if ('chunk' in message) present?.chunk(message.chunk);
  else if ('end' in message) present?.end();
  else present?.abort();
});

import { SeqpacketSocket } from '../system/seqpacket.ts';
import type { TaskStream } from './types.ts';

/** conmon's mark of stderr in the first byte of a message; stdout is 2 (field/conmon.md). */
const CONMON_STDERR = 3;

/** conmon's attach socket as a TaskStream: connected when this returns. @throws SyscallError when nobody listens there */
export function openTaskStream(socketPath: string): TaskStream {
  const listeners: ((stream: 1 | 2, data: Buffer) => void)[] = [];
  const enders: (() => void)[] = [];
  let ended = false;
  const socket = new SeqpacketSocket(socketPath, {
    message(packet) {
      if (packet.length < 2) return;
      for (const listener of listeners) listener(packet[0] === CONMON_STDERR ? 2 : 1, packet.subarray(1));
    },
    end() {
      ended = true;
      for (const listener of enders.splice(0)) listener();
    },
  });
  return {
    onData(listener) {
      listeners.push(listener);
      // What came before the first listener waits in the kernel.
      if (listeners.length === 1) socket.resume();
    },
    onEnd(listener) {
      if (ended) queueMicrotask(listener);
      else enders.push(listener);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    write: (data) => socket.write(data),
    endInput: () => socket.endInput(),
    close: () => socket.close(),
  };
}

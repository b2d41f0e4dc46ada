/**
 * The thread that makes network namespaces: unshare(2) waits for the kernel's lock, which dying namespaces hold for 20 ms and more,
 * and it may not move the daemon's main thread anyway.
 */
import { parentPort } from 'node:worker_threads';
import { Router, setUp } from './netlink/index.ts';
import { makeNetworkNamespace } from './syscalls.ts';

const LOOPBACK = 1;

parentPort?.on('message', async (file: string) => {
  let error = '';
  try {
    makeNetworkNamespace(file);
    using router = new Router(file);
    await router.apply('set up lo', [setUp(LOOPBACK)]);
  } catch (failure) {
    error = failure instanceof Error ? failure.message : String(failure);
  }
  parentPort?.postMessage({ file, error });
});

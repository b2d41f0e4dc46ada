/**
 * The thread that makes network namespaces: unshare(2) waits for the kernel's lock, which dying namespaces hold for 20 ms and more,
 * and it may not move the daemon's main thread anyway.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { Router, setUp } from './netlink/index.ts';
import { makeNetworkNamespace, withinNetworkNamespace } from './syscalls.ts';

const LOOPBACK = 1;

parentPort?.on('message', async (file: string) => {
  let error = '';
  try {
    makeNetworkNamespace(file);
    // As Docker: an interface on an IPv4 network has no IPv6, and nobody on the wire can give it a route by an advertisement.
    const sysctl = '/proc/sys/net/ipv6/conf/default/disable_ipv6';
    if (existsSync(sysctl)) withinNetworkNamespace(file, () => writeFileSync(sysctl, '1'));
    using router = new Router(file);
    await router.apply('set up lo', [setUp(LOOPBACK)]);
  } catch (failure) {
    error = failure instanceof Error ? failure.message : String(failure);
  }
  parentPort?.postMessage({ file, error });
});

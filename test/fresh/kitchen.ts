/** A registry with busybox and nginx in it, for the machines of test:fresh: prints its host:port, then serves until it is killed. */
import { busyboxImage, nginxImage, pushImage } from '../fixtures/images.ts';
import { startRegistry } from '../fixtures/registry.ts';

const registry = await startRegistry();
await pushImage(registry, 'library/busybox:latest', await busyboxImage());
await pushImage(registry, 'library/nginx:latest', await nginxImage());
process.stdout.write(`${registry.host}\n`);
setInterval(() => undefined, 1 << 30);

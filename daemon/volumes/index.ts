export { createVolumeManager, type VolumeManagerDeps } from './manager.ts';
export type { VolumeManager } from './types.ts';

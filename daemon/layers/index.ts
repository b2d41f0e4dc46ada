export { createLayerStore, type LayerStoreDeps } from './store.ts';
export type { Change, LayerRecord, LayerStore, UnpackRequest } from './types.ts';

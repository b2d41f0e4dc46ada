export { createLayerStore, type LayerStoreDeps } from './store.ts';
export type { Change, LayerDriverChoice, LayerRecord, LayerStore, UnpackRequest } from './types.ts';

export { packFolder } from './pack.ts';
export { createLayerStore, type LayerStoreDeps } from './store.ts';
export { type TarEntry, TarError, TarReader, type TarSink } from './tar-reader.ts';
export { padding, TAR_END, tarHeader } from './tar-writer.ts';
export type { Change, LayerDriverChoice, LayerRecord, LayerStore, UnpackRequest } from './types.ts';

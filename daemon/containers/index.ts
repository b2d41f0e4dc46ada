export type { ContainerDeps, ExecProcessInput, ResolvedUser } from './core.ts';
export { CONTAINER_FILTERS, PRUNE_FILTERS } from './filters.ts';
export { createContainerManager } from './manager.ts';
export type {
  AttachOptions,
  ClientStream,
  ContainerEventSink,
  ContainerManager,
  LogOptions,
  NeighbourImages,
  NeighbourNetworks,
  NeighbourVolumes,
  Sandbox,
  SandboxRequest,
  WaitOptions,
} from './types.ts';

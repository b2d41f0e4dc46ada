export type { ContainerDeps, ExecProcessInput, ResolvedUser } from './core.ts';
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

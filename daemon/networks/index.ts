export { ownershipMark } from './bridges.ts';
export { createNetworkManager, type NetworkManagerDeps } from './manager.ts';
export type { CreateNetworkRequest, NetworkManager, Sandbox, SandboxRequest } from './types.ts';

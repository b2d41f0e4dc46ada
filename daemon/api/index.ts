export type { Route } from './context.ts';
export { containerRoutes } from './routes/containers.ts';
export { execRoutes } from './routes/exec.ts';
export { imageRoutes } from './routes/images.ts';
export { networkRoutes } from './routes/networks.ts';
export { type SystemFacts, systemRoutes } from './routes/system.ts';
export { unsupportedRoutes } from './routes/unsupported.ts';
export { volumeRoutes } from './routes/volumes.ts';
export { type ApiServer, createApiServer, type TlsMaterial } from './server.ts';

export { unknownCapabilities } from './capabilities.ts';
export { checkHostConfig } from './check.ts';
export { buildExecProcess } from './exec-process.ts';
export { type HostFacts, readHostFacts } from './host-facts.ts';
export { createRuntime, type RuntimeOptions } from './runtime.ts';
export { readSecurityOptions } from './security.ts';
export { buildSpec, MASKED_PATHS, READONLY_PATHS } from './spec.ts';
export type * from './types.ts';
export { resolveUser } from './user.ts';

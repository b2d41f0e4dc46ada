export { containerErrors } from './containers.ts';
export { EngineError, type ErrorKind, messageOf, STATUS_OF } from './engine-error.ts';
export { requestErrors } from './request.ts';
export { runtimeErrors } from './runtime.ts';

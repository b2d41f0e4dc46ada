import { EngineError } from './engine-error.ts';

/** Errors of the HTTP envelope: what is wrong with a request whatever it asks for (field/engine-api.md section 1.1). */
export const requestErrors = {
  pageNotFound: () => new EngineError('notFound', 'page not found'),
  versionTooNew: (asked: string, max: string) =>
    new EngineError('invalid', `client version ${asked} is too new. Maximum supported API version is ${max}`),
  versionTooOld: (asked: string, min: string) =>
    new EngineError(
      'invalid',
      `client version ${asked} is too old. Minimum supported API version is ${min}, please upgrade your client to a newer version`,
    ),
  contentType: (got: string) =>
    new EngineError('invalid', `unsupported Content-Type header (${got}): must be 'application/json'`),
  malformedJson: (why: string) => new EngineError('invalid', `invalid JSON: ${why}`),
  extraJson: () => new EngineError('invalid', 'unexpected content after JSON'),
  emptyBody: () => new EngineError('invalid', 'invalid JSON: got EOF while reading request body'),
  badField: (path: string, why: string) => new EngineError('invalid', `invalid JSON: field ${path}: ${why}`),
  bodyTooLarge: (limit: number) => new EngineError('invalid', `request body is larger than ${limit} bytes`),
  badParameter: (name: string, value: string, why: string) =>
    new EngineError('invalid', `invalid value ${JSON.stringify(value)} for parameter ${name}: ${why}`),
  emptyParameter: (name: string) => new EngineError('invalid', `bad parameter: '${name}' cannot be empty`),
  unknownObjectType: (type: string) => new EngineError('invalid', `unknown object type: ${type}`),
  badFilter: (name: string) => new EngineError('invalid', `invalid filter '${name}'`),
  malformedFilters: (text: string) => new EngineError('invalid', `invalid filters: ${text} is not a JSON object`),
  notImplemented: (what: string) => new EngineError('notImplemented', `${what} is not implemented by galley yet`),
  notASwarm: () =>
    new EngineError(
      'unavailable',
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    ),
  starting: () => new EngineError('unavailable', 'galleyd is still starting; try again in a moment'),
};

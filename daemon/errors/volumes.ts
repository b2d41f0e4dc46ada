import { EngineError } from './engine-error.ts';

/** Docker's words on volumes (field/engine-api.md sections 1.3 and 2.5). */
export const volumeErrors = {
  notFound: (name: string) => new EngineError('notFound', `get ${name}: no such volume`),
  inUse: (name: string, users: readonly string[]) =>
    new EngineError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`),
  badName: (name: string) =>
    new EngineError(
      'invalid',
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    ),
  driver: (name: string, driver: string) =>
    new EngineError(
      'notFound',
      `create ${name}: error looking up volume plugin ${driver}: plugin ${JSON.stringify(driver)} not found`,
    ),
  driverDiffers: (name: string, driver: string) =>
    new EngineError(
      'conflict',
      `create ${name}: conflict: volume name must be unique: it exists with driver ${driver}`,
    ),
  badFilterValue: (key: string, value: string) => new EngineError('invalid', `invalid filter '${key}=[${value}]'`),
  shortName: (name: string) =>
    new EngineError(
      'invalid',
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    ),
  noQuota: (name: string) => new EngineError('invalid', `create ${name}: quota size requested but no quota support`),
  badFilter: (filter: string) => new EngineError('invalid', `invalid filter '${filter}'`),
  badOption: (name: string, option: string) =>
    new EngineError(
      'invalid',
      `create ${name}: invalid option: ${JSON.stringify(option)}: the local driver knows type, device and o`,
    ),
  missingOption: (name: string, option: string) =>
    new EngineError('invalid', `create ${name}: missing required option: ${JSON.stringify(option)}`),
  mountFailed: (name: string, why: string) => new EngineError('system', `error while mounting volume ${name}: ${why}`),
};

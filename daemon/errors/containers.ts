import { EngineError } from './engine-error.ts';

/** Errors of containers and execs: Docker's words and statuses (field/engine-api.md sections 1.3, 2.1 to 2.6). */
export const containerErrors = {
  wrongPlatform: (reference: string, has: string, wanted: string) =>
    new EngineError(
      'notFound',
      `image with reference ${reference} was found but its platform (${has}) does not match the specified platform (${wanted})`,
    ),
  notFound: (reference: string) => new EngineError('notFound', `No such container: ${reference}`),
  ambiguous: (prefix: string) => new EngineError('invalid', `multiple IDs found with provided prefix: ${prefix}`),
  noSuchImage: (reference: string) => new EngineError('notFound', `No such image: ${reference}`),
  noSuchExec: (id: string) => new EngineError('notFound', `No such exec instance: ${id}`),
  badName: (name: string) =>
    new EngineError('invalid', `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`),
  nameInUse: (name: string, id: string) =>
    new EngineError(
      'conflict',
      `Conflict. The container name "/${name}" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    ),
  noSuchFile: (path: string, reference: string) =>
    new EngineError('notFound', `Could not find the file ${path} in container ${reference}`),
  emptyName: () => new EngineError('invalid', 'Neither old nor new names may be empty'),
  sameName: () => new EngineError('invalid', 'Renaming a container with the same name as its current name'),
  renameFailed: (why: EngineError) => new EngineError(why.kind, `Error when allocating new name: ${why.message}`),
  invalid: (message: string) => new EngineError('invalid', message),
  conflict: (message: string) => new EngineError('conflict', message),
  noCommand: () => new EngineError('invalid', 'no command specified'),
  memoryTooSmall: () => new EngineError('invalid', 'Minimum memory limit allowed is 6MB'),
  autoRemoveWithRestart: () => new EngineError('invalid', "can't create 'AutoRemove' container with restart policy"),
  volumeSpec: (spec: string, why?: string) =>
    new EngineError('invalid', `invalid volume specification: '${spec}'${why ? `: ${why}` : ''}`),
  badMode: (mode: string) => new EngineError('invalid', `invalid mode: ${mode}`),
  mountConfig: (type: string, why: string) =>
    new EngineError('invalid', `invalid mount config for type "${type}": ${why}`),
  duplicateMount: (target: string) => new EngineError('invalid', `Duplicate mount point: ${target}`),
  bindSourceMissing: (source: string) =>
    new EngineError('invalid', `invalid mount config for type "bind": bind source path does not exist: ${source}`),
  badSignal: (signal: string) => new EngineError('invalid', `invalid signal: ${signal}`),
  badDetachKeys: (keys: string) => new EngineError('invalid', `Invalid escape keys (${keys}) provided`),
  notRunning: (id: string) => new EngineError('conflict', `container ${id} is not running`),
  cannotKill: (reference: string, why: EngineError) =>
    new EngineError(why.kind, `cannot kill container: ${reference}: ${why.message}`),
  cannotRestart: (reference: string, why: EngineError) =>
    new EngineError(why.kind, `Cannot restart container ${reference}: ${why.message}`),
  unsupportedSignal: (signal: string) =>
    new EngineError('invalid', `the linux daemon does not support signal ${signal}`),
  alreadyStarted: (name: string) => new EngineError('notModified', `container ${name} is already started`),
  alreadyStopped: (name: string) => new EngineError('notModified', `container ${name} is already stopped`),
  startPaused: () => new EngineError('conflict', 'cannot start a paused container, try unpause instead'),
  startRemoving: () => new EngineError('conflict', 'container is marked for removal and cannot be started'),
  paused: (name: string, action: string) =>
    new EngineError('conflict', `container ${name} is paused, unpause the container before ${action}`),
  restarting: (name: string) =>
    new EngineError('conflict', `container ${name} is restarting, wait until the container is running`),
  alreadyPaused: (id: string) => new EngineError('conflict', `container ${id} is already paused`),
  notPaused: (id: string) => new EngineError('conflict', `Container ${id} is not paused`),
  removeRunning: (name: string) =>
    new EngineError(
      'conflict',
      `cannot remove container "/${name}": container is running: stop the container before removing or force remove`,
    ),
  removePaused: (name: string) =>
    new EngineError('conflict', `cannot remove container "/${name}": container is paused and must be unpaused first`),
  removeRestarting: (name: string) =>
    new EngineError(
      'conflict',
      `cannot remove container "/${name}": container is restarting: stop the container before removing or force remove`,
    ),
  removalInProgress: (reference: string) =>
    new EngineError('conflict', `removal of container ${reference} is already in progress`),
  removalFailed: (name: string, why: string) => new EngineError('system', `cannot remove container "/${name}": ${why}`),
  noExitEvent: (id: string) =>
    new EngineError('system', `container ${id}: tried to kill container, but did not receive an exit event`),
  logsOfRemoving: () =>
    new EngineError('conflict', 'can not get logs from container which is dead or marked for removal'),
  logsNeedStream: () => new EngineError('invalid', 'Bad parameters: you must choose at least one stream'),
  logsUnreadable: () => new EngineError('notImplemented', 'configured logging driver does not support reading'),
  unknownLogDriver: (type: string) =>
    new EngineError(
      'invalid',
      `error looking up logging plugin ${type}: plugin "${type}" not found (galley has json-file, local and none)`,
    ),
  logDriverRefuses: (why: string) => new EngineError('invalid', `failed to initialize logging driver: ${why}`),
  unknownLogOption: (option: string, driver: string) =>
    new EngineError('invalid', `unknown log opt '${option}' for ${driver} log driver`),
  badFilter: (name: string) => new EngineError('invalid', `invalid filter '${name}'`),
  badFilterValue: (name: string, value: string) => new EngineError('invalid', `invalid filter '${name}=${value}'`),
  noExecCommand: () => new EngineError('invalid', 'No exec command specified'),
  execHasRun: (id: string) => new EngineError('conflict', `exec command ${id} has already run`),
  execNotStarted: (id: string) => new EngineError('invalid', `exec ${id} is not running`),
  execContainerStopped: (id: string) => new EngineError('conflict', `container ${id} is not running`),
  runtimeFailed: (words: string, atFault: 'caller' | 'engine', cause: unknown) =>
    new EngineError(atFault === 'caller' ? 'invalid' : 'system', words, { cause }),
  updateRestartAutoRemove: (id: string) =>
    new EngineError(
      'invalid',
      `Cannot update container ${id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
    ),
  updateMarked: (id: string) =>
    new EngineError(
      'conflict',
      `Cannot update container ${id}: container is marked for removal and cannot be "update"`,
    ),
};

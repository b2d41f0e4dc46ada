import { writeFile } from 'node:fs/promises';
import { containerErrors } from '../errors/containers.ts';
import { EngineError } from '../errors/engine-error.ts';
import { extractIntoContainer, packFromContainer, statInContainer } from './archive/index.ts';
import { attachTo } from './attach.ts';
import { commitContainer } from './commit.ts';
import { type ContainerDeps, type Core, createCore } from './core.ts';
import { createContainer } from './create.ts';
import { Execs } from './exec.ts';
import { watchExit } from './exit.ts';
import { listContainers, pruneContainers } from './list.ts';
import { logDetails } from './log-details.ts';
import { readLogs } from './log-reader.ts';
import { readNameLists } from './names.ts';
import {
  killContainer,
  pauseContainer,
  renameContainer,
  resizeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  unpauseContainer,
  updateContainer,
} from './operations.ts';
import { isAlive } from './record.ts';
import { removeContainer } from './remove.ts';
import { cancelRestart } from './restart-timer.ts';
import { applyPolicies, restoreAll } from './restore.ts';
import { startRotation } from './rotation.ts';
import { sandboxRequestOf } from './sandbox.ts';
import { sizesOf } from './sizes.ts';
import { StatsSamplers } from './stats.ts';
import { ContainerStore, type Entry } from './store.ts';
import type { ContainerManager, LogOptions } from './types.ts';
import { inspectOf } from './views.ts';
import { waitFor } from './wait.ts';

/**
 * The containers of one galleyd. Reads answer from memory at once; `restore` must run before anything starts.
 * @throws Error when the database has a record that this galleyd cannot read
 */
export function createContainerManager(deps: ContainerDeps): ContainerManager {
  const store = new ContainerStore(deps.db);
  const core = createCore(deps, store, watchExit);
  const lists = deps.names ?? readNameLists();
  const execs = new Execs(core);
  const stats = new StatsSamplers(core);
  const rotation = startRotation(core);
  const find = (reference: string) => store.find(reference);

  return {
    create: async (name, platform, body) => createContainer(core, lists, name, platform, body),
    list: async (options) => listContainers(core, options),
    prune: async (filters) => pruneContainers(core, filters),
    async inspect(reference, { size }) {
      const { record } = find(reference);
      const view = inspectOf(core, record, execs.idsOf(record.id));
      return size ? { ...view, ...(await sizesOf(core, record.id)) } : view;
    },
    start: async (reference) => startContainer(core, find(reference)),
    stop: async (reference, options) => stopContainer(core, find(reference), options),
    restart: async (reference, options) => restartContainer(core, find(reference), reference, options),
    async kill(reference, signal) {
      try {
        await killContainer(core, find(reference), signal);
      } catch (error) {
        throw error instanceof EngineError ? containerErrors.cannotKill(reference, error) : error;
      }
    },
    pause: async (reference) => pauseContainer(core, find(reference)),
    unpause: async (reference) => unpauseContainer(core, find(reference)),
    rename: async (reference, name) => renameContainer(core, find(reference), name),
    update: async (reference, change) => updateContainer(core, find(reference), change),
    remove: async (reference, { force, volumes }) =>
      removeContainer(core, find(reference), reference, { force, volumes }),
    wait: (reference, options) => ({ result: waitFor(core, find(reference), options) }),
    resize: async (reference, rows, columns) => resizeContainer(core, find(reference), rows, columns),
    async top(reference, psArgs) {
      const { record } = find(reference);
      if (record.status === 'restarting') throw containerErrors.restarting(record.name);
      if (!isAlive(record)) throw containerErrors.notRunning(record.id);
      const result = await deps.runtime.top(record.id, psArgs || '-ef');
      core.emit(record, 'top');
      return result;
    },
    statPath: async (reference, path) => statInContainer(core, find(reference), reference, path),
    pack: async (reference, path) => packFromContainer(core, find(reference), reference, path),
    async extract(reference, path, tar, { noOverwriteDirNonDir, copyUidGid }) {
      const entry = find(reference);
      const owner = copyUidGid ? await ownerOf(core, entry) : null;
      await extractIntoContainer(core, entry, reference, path, tar, { keepKinds: noOverwriteDirNonDir, owner });
    },
    commit: async (reference, options) => commitContainer(core, find(reference), options),
    changes: async (reference) => deps.layers.changes(find(reference).record.id),
    stats: async (reference, options, listener) => stats.run(find(reference), options, listener),
    attach: async (reference, options) => attachTo(core, find(reference), options),
    logs: async (reference, options) => openLogs(core, find(reference), options),
    createExec: async (reference, body) => execs.create(find(reference), body),
    startExec: async (execId, body) => execs.start(execId, body),
    inspectExec: (execId) => execs.inspect(execId),
    resizeExec: (execId, rows, columns) => execs.resize(execId, rows, columns),
    counts() {
      const states = store.all().map(({ record }) => record.status);
      const count = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
      const running = count('running', 'restarting');
      const paused = count('paused');
      return { total: states.length, running, paused, stopped: states.length - running - paused };
    },
    usersOf: (imageId) =>
      store
        .all()
        .filter(({ record }) => record.imageId === imageId)
        .map(({ record }) => ({ id: record.id, running: isAlive(record) || record.status === 'restarting' })),
    sandboxRequest(reference) {
      const { record } = find(reference);
      return {
        request: sandboxRequestOf(record),
        running: isAlive(record),
        pid: isAlive(record) ? (record.identity?.pid ?? 0) : 0,
      };
    },
    nameOf: (containerId) => store.get(containerId)?.record.name,
    recordEndpoint(containerId, network, settings) {
      const entry = find(containerId);
      const { [network]: _old, ...others } = entry.record.endpoints;
      store.update(entry, { endpoints: settings === null ? others : { ...others, [network]: settings } });
    },
    async writeFiles(containerId, { hostsFile, resolvConf }) {
      // In place: the files are bound into the container.
      const paths = core.paths(containerId);
      await Promise.all([writeFile(paths.hosts, hostsFile), writeFile(paths.resolvConf, resolvConf)]);
    },
    restore: () => restoreAll(core),
    applyRestartPolicies: () => applyPolicies(core),
    running: () =>
      new Set(
        store
          .all()
          .filter(({ record }) => isAlive(record))
          .map(({ record }) => record.id),
      ),
    async close() {
      core.closed = true;
      rotation.stop();
      execs.close();
      stats.close();
      for (const entry of store.all()) {
        cancelRestart(core, entry);
        const live = core.live(entry);
        live.health?.stop();
        live.hub.close();
      }
    },
  };
}

/** `docker cp -a` the other way: files belong to the container's own user, where it has one. */
async function ownerOf(core: Core, { record }: Entry): Promise<{ uid: number; gid: number } | null> {
  if (record.config.User === '') return null;
  return core.deps.resolveUser(await core.deps.layers.mountRoot(record.id), record.config.User, []);
}

/** @throws EngineError 400, 409, 501 */
function openLogs(core: Core, entry: Entry, options: LogOptions): Awaited<ReturnType<ContainerManager['logs']>> {
  const { record } = entry;
  if (!options.stdout && !options.stderr) throw containerErrors.logsNeedStream();
  if (record.removing || record.status === 'dead') throw containerErrors.logsOfRemoving();
  if (record.hostConfig.LogConfig.Type === 'none') throw containerErrors.logsUnreadable();
  const run = core.live(entry).run;
  const source = {
    logPath: core.paths(record.id).log,
    details: logDetails(record.config, record.hostConfig.LogConfig.Config),
    isWritten: () => run !== null && !run.over.signal.aborted && !core.closed,
    ended: run?.over.signal ?? AbortSignal.abort(),
  };
  return { tty: record.config.Tty, run: (send, signal) => readLogs(source, options, send, signal) };
}

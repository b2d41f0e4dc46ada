import type { ContainerConfig, ImageRunConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';
import type { Core } from './core.ts';
import { commandOf, mergeConfig } from './merge.ts';
import { pauseContainer, unpauseContainer } from './operations.ts';
import type { Entry } from './store.ts';
import type { CommitOptions } from './types.ts';

/** What of a container's config an image keeps. */
function imageConfigOf(config: ContainerConfig): ImageRunConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Healthcheck, Volumes, WorkingDir, Labels, StopSignal, Shell } =
    config;
  return {
    User,
    ...(Object.keys(ExposedPorts ?? {}).length > 0 ? { ExposedPorts } : {}),
    Env,
    Entrypoint,
    Cmd,
    ...(Healthcheck ? { Healthcheck } : {}),
    Volumes,
    WorkingDir,
    Labels,
    ...(StopSignal ? { StopSignal } : {}),
    ...(Shell ? { Shell } : {}),
  };
}

/**
 * An image from what the container has changed; a running one is held still meanwhile.
 * @throws EngineError 400, 404, 409
 */
export async function commitContainer(core: Core, entry: Entry, options: CommitOptions): Promise<{ Id: string }> {
  const { record } = entry;
  if (record.removing || record.status === 'dead')
    throw containerErrors.conflict(`You cannot commit container ${record.id} which is Dead or being removed`);
  const hold = options.pause && record.status === 'running';
  if (hold) await pauseContainer(core, entry);
  let Id: string;
  try {
    const own = options.config ? mergeConfig(options.config, imageConfigOf(record.config)) : record.config;
    Id = await core.deps.images.commit({
      upper: core.deps.layers.describe(record.id).Data['UpperDir'] as string,
      baseImageId: record.imageId || undefined,
      config: imageConfigOf(own),
      containerId: record.id,
      createdBy: commandOf(record.config).join(' '),
      repository: options.repository,
      tag: options.tag,
      author: options.author,
      message: options.comment,
      changes: options.changes,
      signal: options.signal,
    });
  } finally {
    if (hold && entry.record.status === 'paused') await unpauseContainer(core, entry);
  }
  core.emit(entry.record, 'commit', {
    comment: options.comment,
    imageID: Id,
    imageRef: options.repository === '' ? '' : `${options.repository}:${options.tag || 'latest'}`,
  });
  return { Id };
}

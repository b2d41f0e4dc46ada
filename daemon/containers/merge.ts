import type { ContainerConfig, HealthConfig, ImageRunConfig } from '../../src/api/index.ts';
import { containerErrors } from '../errors/containers.ts';

const keyOf = (entry: string): string => entry.split('=', 1)[0] as string;
const isEmpty = (list: readonly string[] | null | undefined): boolean => !list || list.length === 0;

function mergeHealth(own: HealthConfig | undefined, image: HealthConfig | undefined): HealthConfig | undefined {
  if (!own) return image;
  if (!image) return own;
  return {
    Test: isEmpty(own.Test) ? image.Test : own.Test,
    Interval: own.Interval || image.Interval,
    Timeout: own.Timeout || image.Timeout,
    StartPeriod: own.StartPeriod || image.StartPeriod,
    StartInterval: own.StartInterval || image.StartInterval,
    Retries: own.Retries || image.Retries,
  };
}

/**
 * The create-time merge of an image's config into a container's (field/engine-api.md section 2.1).
 * @throws EngineError 400 when neither names a command.
 */
export function mergeConfig(own: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  let entrypoint = own.Entrypoint;
  let cmd = own.Cmd;
  if (isEmpty(entrypoint)) {
    if (isEmpty(cmd)) cmd = image.Cmd ?? null;
    if (entrypoint === null || entrypoint === undefined) entrypoint = image.Entrypoint ?? null;
  }
  // `--entrypoint ""` arrives as [""]: it resets the image's entrypoint.
  if (entrypoint?.length === 1 && entrypoint[0] === '') entrypoint = null;
  if (isEmpty(entrypoint) && isEmpty(cmd)) throw containerErrors.noCommand();

  const env = [...(own.Env ?? [])];
  const known = new Set(env.map(keyOf));
  for (const entry of image.Env ?? []) if (!known.has(keyOf(entry))) env.push(entry);

  return {
    ...own,
    User: own.User || image.User || '',
    ExposedPorts: { ...(image.ExposedPorts ?? {}), ...(own.ExposedPorts ?? {}) },
    Volumes:
      Object.keys(own.Volumes ?? {}).length === 0
        ? (image.Volumes ?? null)
        : { ...(image.Volumes ?? {}), ...own.Volumes },
    Labels: { ...(image.Labels ?? {}), ...(own.Labels ?? {}) },
    WorkingDir: own.WorkingDir || image.WorkingDir || '',
    StopSignal: own.StopSignal || image.StopSignal,
    Shell: isEmpty(own.Shell) ? (image.Shell ?? undefined) : own.Shell,
    Env: env,
    Entrypoint: entrypoint ?? null,
    Cmd: cmd ?? null,
    Healthcheck: mergeHealth(own.Healthcheck, image.Healthcheck),
    OnBuild: null,
  };
}

/** Entrypoint and Cmd in one list: what the container runs. */
export function commandOf(config: ContainerConfig): string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

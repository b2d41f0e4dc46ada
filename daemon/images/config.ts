/** The image config blob (image-spec config.md and Docker's extensions). */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ImageRunConfig } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const texts = z.array(z.string()).nullish();
const emptyObjects = z
  .record(
    z.string(),
    z.looseObject({}).transform((): Record<string, never> => ({})),
  )
  .nullish();
const runConfigSchema = z.object({
  User: z.string().optional(),
  ExposedPorts: emptyObjects,
  Env: texts,
  Entrypoint: texts,
  Cmd: texts,
  Volumes: emptyObjects,
  WorkingDir: z.string().optional(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().optional(),
  Healthcheck: z
    .object({
      Test: z.array(z.string()).optional(),
      Interval: z.number().optional(),
      Timeout: z.number().optional(),
      Retries: z.number().optional(),
      StartPeriod: z.number().optional(),
      StartInterval: z.number().optional(),
    })
    .optional(),
  OnBuild: texts,
  Shell: texts,
  ArgsEscaped: z.boolean().optional(),
});
const historySchema = z.object({
  created: z.string().optional(),
  created_by: z.string().default(''),
  author: z.string().optional(),
  comment: z.string().default(''),
  empty_layer: z.boolean().default(false),
});
export const imageConfigSchema = z.object({
  architecture: z.string().default(''),
  variant: z.string().optional(),
  os: z.string().default('linux'),
  created: z.string().optional(),
  author: z.string().default(''),
  comment: z.string().default(''),
  docker_version: z.string().default(''),
  config: runConfigSchema.nullish(),
  history: z.array(historySchema).nullish(),
  rootfs: z.object({ type: z.literal('layers'), diff_ids: z.array(digestSchema).nullish() }),
});
export type ImageConfig = Omit<z.infer<typeof imageConfigSchema>, 'config'> & { config?: ImageRunConfig | null };

/** @throws EngineError naming the digest and the field. */
export function parseImageConfig(bytes: Buffer, digest: string): ImageConfig {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw imageErrors.badConfig(digest, messageOf(error));
  }
  const result = imageConfigSchema.safeParse(value);
  if (result.success) return result.data as ImageConfig;
  const issue = result.error.issues[0];
  throw imageErrors.badConfig(digest, `${issue?.path.join('.')}: ${issue?.message}`);
}

/** The chain IDs of a stack of layers, lowest first (image-spec config.md, "Layer ChainID"). */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(
      parent === undefined ? diffId : `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`,
    );
  }
  return chain;
}

import { z } from 'zod';
import { runtimeErrors } from '../errors/runtime.ts';
import { ARCHITECTURES, RULES, type SeccompRule } from './seccomp-profile.ts';

/** What a profile's conditions are measured against. */
export interface SeccompContext {
  /** The container's final capability set. */
  capabilities: readonly string[];
  /** Go's name: amd64, arm64… */
  architecture: string;
  kernel: readonly [major: number, minor: number];
  /** The kernel may run x32 programs (hardly any does). */
  x32: boolean;
}

/**
 * libseccomp builds the whole filter once for each architecture, 7 ms of every start and exec for one: x32 is left out where the
 * kernel cannot run it and knows none of its calls anyway.
 */
function architecturesOf({ architecture, x32 }: SeccompContext): readonly string[] {
  return (ARCHITECTURES[architecture] ?? []).filter((name) => x32 || name !== 'SCMP_ARCH_X32');
}

const atLeast = (kernel: readonly [number, number], wanted: readonly [number, number]) =>
  kernel[0] > wanted[0] || (kernel[0] === wanted[0] && kernel[1] >= wanted[1]);

function applies(rule: SeccompRule, context: SeccompContext): boolean {
  const { when, unless } = rule;
  if (when?.capability && !context.capabilities.includes(when.capability)) return false;
  if (when?.arches && !when.arches.includes(context.architecture)) return false;
  if (when?.minKernel && !atLeast(context.kernel, when.minKernel)) return false;
  if (unless?.capability && context.capabilities.includes(unless.capability)) return false;
  if (unless?.arches?.includes(context.architecture)) return false;
  return true;
}

/** The default profile as plain OCI `linux.seccomp`, its conditions decided (field/engine-api.md section 2.3). */
export function defaultSeccomp(context: SeccompContext): Record<string, unknown> {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: architecturesOf(context),
    syscalls: RULES.filter((rule) => applies(rule, context)).map(({ names, args, action, errnoRet }) => ({
      names,
      action: action ?? 'SCMP_ACT_ALLOW',
      ...(errnoRet === undefined ? {} : { errnoRet }),
      ...(args ? { args } : {}),
    })),
  };
}

const condition = z
  .object({
    caps: z.array(z.string()).nullish(),
    arches: z.array(z.string()).nullish(),
    minKernel: z.string().nullish(),
  })
  .nullish();
const profileSchema = z.looseObject({
  defaultAction: z.string(),
  defaultErrnoRet: z.number().int().nullish(),
  architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.object({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  flags: z.array(z.string()).nullish(),
  listenerPath: z.string().nullish(),
  listenerMetadata: z.string().nullish(),
  syscalls: z
    .array(
      z.object({
        name: z.string().nullish(),
        names: z.array(z.string()).nullish(),
        action: z.string(),
        errnoRet: z.number().int().nullish(),
        args: z
          .array(
            z.object({
              index: z.number().int(),
              value: z.number(),
              valueTwo: z.number().nullish(),
              op: z.string(),
            }),
          )
          .nullish(),
        includes: condition,
        excludes: condition,
      }),
    )
    .nullish(),
});
type Condition = z.infer<typeof condition>;

function kernelOf(text: string): [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  if (!match) throw runtimeErrors.badSeccomp(`invalid minKernel ${JSON.stringify(text)}`);
  return [Number(match[1]), Number(match[2])];
}

function included(rule: Condition, context: SeccompContext): boolean {
  if (rule?.arches?.length && !rule.arches.includes(context.architecture)) return false;
  if (rule?.caps?.some((name) => !context.capabilities.includes(name))) return false;
  return !rule?.minKernel || atLeast(context.kernel, kernelOf(rule.minKernel));
}

function excluded(rule: Condition, context: SeccompContext): boolean {
  if (rule?.arches?.includes(context.architecture)) return true;
  if (rule?.caps?.some((name) => context.capabilities.includes(name))) return true;
  return Boolean(rule?.minKernel && atLeast(context.kernel, kernelOf(rule.minKernel)));
}

/**
 * A profile that the user brought (Docker's JSON, also with conditions) as plain OCI.
 * @throws EngineError 400 naming what is wrong with it
 */
export function customSeccomp(text: string, context: SeccompContext): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw runtimeErrors.badSeccomp(error instanceof Error ? error.message : String(error));
  }
  const result = profileSchema.safeParse(parsed);
  if (!result.success) throw runtimeErrors.badSeccomp(z.prettifyError(result.error));
  const profile = result.data;
  if (profile.architectures?.length && profile.archMap?.length)
    throw runtimeErrors.badSeccomp(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either",
    );
  const native = ARCHITECTURES[context.architecture]?.[0];
  const mapped = profile.archMap?.find((entry) => entry.architecture === native);
  const architectures = mapped
    ? [mapped.architecture, ...(mapped.subArchitectures ?? [])]
    : (profile.architectures ?? architecturesOf(context));
  const syscalls = (profile.syscalls ?? []).flatMap((rule) => {
    if (rule.name && rule.names?.length)
      throw runtimeErrors.badSeccomp("both 'name' and 'names' are specified in the seccomp profile, use either");
    if (!included(rule.includes, context) || excluded(rule.excludes, context)) return [];
    return [
      {
        names: rule.names?.length ? rule.names : rule.name ? [rule.name] : [],
        action: rule.action,
        ...(rule.errnoRet === null || rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
        ...(rule.args?.length ? { args: rule.args } : {}),
      },
    ];
  });
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === null || profile.defaultErrnoRet === undefined
      ? {}
      : { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures,
    ...(profile.flags ? { flags: profile.flags } : {}),
    ...(profile.listenerPath ? { listenerPath: profile.listenerPath } : {}),
    ...(profile.listenerMetadata ? { listenerMetadata: profile.listenerMetadata } : {}),
    syscalls,
  };
}

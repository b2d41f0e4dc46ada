/** `--change` of commit and import: Dockerfile instructions that alter an image's config without running anything. */
import path from 'node:path';
import type { HealthConfig, ImageRunConfig } from '../../src/api/index.ts';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import { execForm, expand, keyValues, splitWords } from './words.ts';

const DEFAULT_SHELL = ['/bin/sh', '-c'];
const UNITS: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, ns: 1 };

function environment(config: ImageRunConfig): Record<string, string> {
  return Object.fromEntries(
    (config.Env ?? []).map((pair) => [pair.split('=', 1)[0] as string, pair.slice(pair.indexOf('=') + 1)]),
  );
}

function command(config: ImageRunConfig, rest: string): string[] {
  return execForm(rest) ?? [...(config.Shell ?? DEFAULT_SHELL), rest.trim()];
}

/** A Go duration in nanoseconds. */
function duration(text: string): number {
  const pieces = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|h|m|s)/g)];
  if (pieces.length === 0 || pieces.map((one) => one[0]).join('') !== text)
    throw new Error(`invalid duration ${JSON.stringify(text)}`);
  return pieces.reduce((sum, one) => sum + Number(one[1]) * (UNITS[one[2] as string] as number), 0);
}

function healthcheck(rest: string): HealthConfig {
  const check: HealthConfig = {};
  let left = rest.trim();
  for (let match = /^--([a-z-]+)=(\S+)\s*/.exec(left); match; match = /^--([a-z-]+)=(\S+)\s*/.exec(left)) {
    const [whole, name, value = ''] = match;
    if (name === 'interval') check.Interval = duration(value);
    else if (name === 'timeout') check.Timeout = duration(value);
    else if (name === 'start-period') check.StartPeriod = duration(value);
    else if (name === 'start-interval') check.StartInterval = duration(value);
    else if (name === 'retries' && /^\d+$/.test(value)) check.Retries = Number(value);
    else throw new Error(`Unknown flag: ${name}`);
    left = left.slice(whole.length);
  }
  const [, kind = '', body = ''] = /^(\S*)\s*([\s\S]*)$/.exec(left) ?? [];
  if (kind.toUpperCase() === 'NONE') return { Test: ['NONE'] };
  if (kind.toUpperCase() !== 'CMD' || body === '')
    throw new Error(`Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  const exec = execForm(body);
  return { ...check, Test: exec ? ['CMD', ...exec] : ['CMD-SHELL', body] };
}

function ports(words: readonly string[]): Record<string, Record<string, never>> {
  const found: Record<string, Record<string, never>> = {};
  for (const word of words) {
    const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(word.toLowerCase());
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? from);
    if (!match || from > to || to > 65535) throw new Error(`Invalid containerPort: ${word}`);
    for (let port = from; port <= to; port += 1) found[`${port}/${match[3] ?? 'tcp'}`] = {};
  }
  return found;
}

type Step = (config: ImageRunConfig, rest: string, state: { commandSet: boolean }) => ImageRunConfig;
const words = (config: ImageRunConfig, rest: string) =>
  splitWords(rest).map((word) => expand(word, environment(config)));

const STEPS: Readonly<Record<string, Step>> = {
  CMD: (config, rest, state) => {
    state.commandSet = true;
    return { ...config, Cmd: command(config, rest) };
  },
  ENTRYPOINT: (config, rest, state) => ({
    ...config,
    Entrypoint: command(config, rest),
    // A command of the base image was meant for another entry point.
    ...(state.commandSet ? {} : { Cmd: null }),
  }),
  ENV: (config, rest) => {
    const known = environment(config);
    const Env = [...(config.Env ?? [])];
    for (const [key, value] of keyValues(rest)) {
      const pair = `${key}=${expand(value, known)}`;
      const at = Env.findIndex((one) => one.startsWith(`${key}=`));
      if (at < 0) Env.push(pair);
      else Env[at] = pair;
    }
    return { ...config, Env };
  },
  LABEL: (config, rest) => ({
    ...config,
    Labels: {
      ...config.Labels,
      ...Object.fromEntries(keyValues(rest).map(([key, value]) => [key, expand(value, environment(config))])),
    },
  }),
  EXPOSE: (config, rest) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, ...ports(words(config, rest)) } }),
  VOLUME: (config, rest) => {
    const names = execForm(rest) ?? words(config, rest);
    if (names.length === 0 || names.some((name) => name.trim() === ''))
      throw new Error('VOLUME specified can not be an empty string');
    return { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(names.map((name) => [name, {}])) } };
  },
  USER: (config, rest) => ({ ...config, User: expand(rest.trim(), environment(config)) }),
  WORKDIR: (config, rest) => ({
    ...config,
    WorkingDir: path.posix.resolve('/', config.WorkingDir ?? '', expand(rest.trim(), environment(config))),
  }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: expand(rest.trim(), environment(config)) }),
  SHELL: (config, rest) => {
    const Shell = execForm(rest);
    if (!Shell || Shell.length === 0) throw new Error('SHELL requires the arguments to be in JSON form');
    return { ...config, Shell };
  },
  ONBUILD: (config, rest) => {
    if (/^(ONBUILD|FROM|MAINTAINER)\b/i.test(rest.trim()))
      throw new Error(`${rest.trim().split(/\s/)[0]} isn't allowed as an ONBUILD trigger`);
    return { ...config, OnBuild: [...(config.OnBuild ?? []), rest.trim()] };
  },
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: healthcheck(rest) }),
};

/** The config with the instructions applied in turn. @throws EngineError (400) naming the one that cannot be used. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  const state = { commandSet: false };
  const lines = changes
    .flatMap((change) => change.replace(/\\\r?\n/g, ' ').split(/\r?\n/))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return lines.reduce((present, line) => {
    const [, name = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(line) ?? [];
    const step = STEPS[name.toUpperCase()];
    if (!step) throw imageErrors.notAChange(name.toLowerCase());
    if (rest === '') throw imageErrors.badChange(line, `${name.toUpperCase()} requires at least one argument`);
    try {
      return step(present, rest, state);
    } catch (error) {
      throw imageErrors.badChange(line, messageOf(error));
    }
  }, config);
}

/** The facts that the golden screens are drawn from: recorded off a real engine by scripts/record-screens.ts. */
import fs from 'node:fs';
import path from 'node:path';
import {
  type DetailRequest,
  type DetailState,
  type Facts,
  NO_DETAIL,
  NO_FACTS,
  type TextLine,
} from '../../src/store/index.ts';

interface Recording {
  now: number;
  engine: NonNullable<Facts['engine']>;
  containers: [string, never][];
  images: [string, never][];
  volumes: [string, never][];
  networks: [string, never][];
  stats: [string, never][];
  details: Record<'logs' | 'inspect' | 'history', TextLine[]>;
}

const recording = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'facts.json'), 'utf8')) as Recording;

/** The moment of the recording, Unix milliseconds. */
export const NOW = recording.now;
export const HOST = 'unix:///run/galley/galley.sock';

export const FACTS: Facts = {
  ...NO_FACTS,
  connection: { state: 'connected', message: '' },
  engine: recording.engine,
  containers: new Map(recording.containers),
  images: new Map(recording.images),
  volumes: new Map(recording.volumes),
  networks: new Map(recording.networks),
  stats: new Map(recording.stats),
};

export const detailOf = (kind: 'logs' | 'inspect' | 'history', id: string): DetailState => ({
  ...NO_DETAIL,
  key: kind,
  request: { kind, id } as DetailRequest,
  lines: recording.details[kind],
  ended: kind !== 'logs',
});

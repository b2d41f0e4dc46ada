/** Whole screens from a recorded fact set with a fixed clock. */
import { describe, expect, it } from 'vitest';
import type { ContainerSummary } from '../../src/api/index.ts';
import { cells, type Facts, initialView, NO_DETAIL, NO_FACTS } from '../../src/store/index.ts';
import { ACTIONS, actionFor } from '../../src/tui/keys/actions.ts';
import { keyTable } from '../../src/tui/keys/docs.ts';
import { screenLines } from '../../src/tui/screen.ts';
import { lineText } from '../../src/tui/widgets/line.ts';

const NOW = Date.UTC(2026, 10, 27, 12);
const container = (name: string, state: ContainerSummary['State'], status: string, age: number) => ({
  Id: name.padEnd(64, '0'),
  Names: [`/${name}`],
  Image: 'nginx:1.27',
  ImageID: 'sha256:1',
  Command: 'nginx',
  Created: NOW / 1000 - age,
  Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  Labels: {},
  State: state,
  Status: status,
  HostConfig: { NetworkMode: 'bridge' },
  NetworkSettings: { Networks: {} },
  Mounts: [],
  since: NOW - age * 1000,
});
const web = container('web', 'running', 'Up 2 minutes', 120);
const wide = container('日本語', 'exited', 'Exited (3) 2 hours ago', 7200);
const facts: Facts = {
  ...NO_FACTS,
  connection: { state: 'connected', message: '' },
  engine: {
    name: 'galleyd',
    version: '0.1.0',
    apiVersion: '1.51',
    hostname: 'kitchen',
    os: 'Debian',
    cpus: 2,
    memory: 8e9,
    connectedAt: NOW,
  },
  containers: new Map([web, wide].map((one) => [one.Id, one])),
};

const screen = (columns: number, rows: number, with_: Facts = facts) =>
  screenLines({
    facts: with_,
    view: initialView(),
    detail: NO_DETAIL,
    host: 'unix:///run/galley/galley.sock',
    start: 'key',
    columns,
    rows,
    now: NOW,
  }).map(lineText);

describe('the screen', () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [200, 50],
    [50, 10],
  ] as const) {
    it(`fills ${columns}x${rows} exactly, wide characters too`, () => {
      const lines = screen(columns, rows);
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(cells(line)).toBe(columns);
    });
  }
  it('says state with a word and an exit code', () => {
    const text = screen(120, 40).join('\n');
    expect(text).toMatch(/▸ ● running\s+web\s+nginx:1.27\s+-\s+-\s+2m 8080→80/);
    expect(text).toMatch(/■ exited 3\s+日本語/);
  });
  it('says that it is too small, and what to do without an engine', () => {
    expect(screen(50, 10).join('\n')).toContain('Too small: 50x10.');
    const lost: Facts = { ...NO_FACTS, connection: { state: 'lost', message: 'Cannot connect' } };
    expect(screen(80, 24, lost).join('\n')).toContain('S starts galleyd.');
  });
});

describe('the action table', () => {
  it('finds the nearest action and documents every one', () => {
    expect(actionFor('l', initialView())?.id).toBe('container.logs');
    expect(actionFor('l', { ...initialView(), focus: 'detail' })?.id).toBe('detail.right');
    const stats = { ...initialView().tab, containers: 1 };
    expect(actionFor('l', { ...initialView(), focus: 'detail', tab: stats })?.id).toBe('container.logs');
    for (const one of ACTIONS) expect(keyTable()).toContain(one.title.replace(' (asks first)', ''));
  });
});

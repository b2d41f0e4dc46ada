import type { ContainerSummary, ImageSummary, Volume } from '../api/index.ts';
import type { Facts } from '../store/facts.ts';
import { fitWidth } from './text.ts';

export type Pane = 'containers' | 'images' | 'volumes';
export const PANES: readonly Pane[] = ['containers', 'images', 'volumes'];

export interface Row {
  id: string;
  name: string;
  /** One preformatted line; its state told by glyph and word, never by colour alone. */
  line: string;
  running: boolean;
}

const GLYPH: Readonly<Record<string, string>> = {
  running: '●',
  paused: '‖',
  restarting: '↻',
  exited: '○',
  created: '·',
  removing: '×',
  dead: '†',
};

export const nameOf = (container: ContainerSummary): string =>
  (container.Names[0] ?? container.Id.slice(0, 12)).replace(/^\//, '');

function portsOf(container: ContainerSummary): string {
  return [
    ...new Set(container.Ports.flatMap((port) => (port.PublicPort ? [`${port.PublicPort}→${port.PrivatePort}`] : []))),
  ].join(' ');
}

export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let value = size;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)}${units[unit]}`;
}

function containerRow(container: ContainerSummary, width: number): Row {
  const name = nameOf(container);
  const wide = Math.max(0, width - 2 - 18 - 1 - 24 - 1);
  const line = `${GLYPH[container.State] ?? '?'} ${fitWidth(name, 18)} ${fitWidth(container.Status || container.State, 24)} ${fitWidth(`${container.Image} ${portsOf(container)}`, wide)}`;
  return { id: container.Id, name, line: fitWidth(line, width), running: container.State === 'running' };
}

function imageRow(image: ImageSummary, width: number): Row {
  const name = image.RepoTags[0] ?? '<none>';
  return {
    id: image.Id,
    name,
    line: fitWidth(
      `${fitWidth(name, Math.max(10, width - 24))} ${image.Id.slice(7, 19)} ${bytes(image.Size).padStart(8)}`,
      width,
    ),
    running: false,
  };
}

function volumeRow(volume: Volume, width: number): Row {
  return {
    id: volume.Name,
    name: volume.Name,
    line: fitWidth(`${fitWidth(volume.Name, Math.max(10, width - 10))} ${volume.Driver}`, width),
    running: false,
  };
}

/** The rows of a pane, filtered and in a stable order: running first, then newest first; names for the rest. */
export function rowsOf(facts: Facts, pane: Pane, filter: string, width: number): Row[] {
  const needle = filter.toLowerCase();
  const rows =
    pane === 'containers'
      ? [...facts.containers.values()]
          .sort((a, b) => Number(b.State === 'running') - Number(a.State === 'running') || b.Created - a.Created)
          .map((c) => containerRow(c, width))
      : pane === 'images'
        ? [...facts.images.values()].map((image) => imageRow(image, width)).sort((a, b) => a.name.localeCompare(b.name))
        : [...facts.volumes.values()]
            .map((volume) => volumeRow(volume, width))
            .sort((a, b) => a.name.localeCompare(b.name));
  return needle === ''
    ? rows
    : rows.filter((row) => row.line.toLowerCase().includes(needle) || row.name.toLowerCase().includes(needle));
}

/** The part of a list that is on the screen, with the selected row in it. */
export function windowOf(count: number, selected: number, height: number): { from: number; to: number } {
  const from = Math.max(0, Math.min(selected - Math.floor(height / 2), count - height));
  return { from, to: Math.min(count, from + height) };
}

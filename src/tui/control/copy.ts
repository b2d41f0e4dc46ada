/** Taking things out of the dashboard: into the clipboard of the person's terminal (OSC 52), also over ssh, or into a file. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Choice, nameOf, type Row, selectedRow, tabOf } from '../../store/index.ts';
import { topOf } from '../text-view.ts';
import type { Desk } from './desk.ts';

export interface Copies {
  copy(): void;
  save(): void;
}

/** Terminals take no more than some tens of kilobytes. */
const MOST = 50_000;

export function copies(desk: Desk): Copies {
  const { view } = desk;
  const put = (what: string, text: string) => {
    const base64 = Buffer.from(text.slice(0, MOST)).toString('base64');
    // tmux hands it on only when wrapped, each escape doubled.
    const sequence = `\x1b]52;c;${base64}\x07`;
    process.stdout.write(desk.env['TMUX'] ? `\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\` : sequence);
    desk.say(`copied ${what} (a terminal without OSC 52 ignores it; ctrl-s saves to a file)`);
  };
  const choice = (title: string, text: string): Choice => ({
    title: text,
    note: title,
    run: () => put(`the ${title}`, text),
  });

  function textOnScreen(): string {
    const state = view.getState();
    const detail = desk.link().detail.current();
    const { width, height } = desk.area();
    const top = topOf(detail, state, width, height, tabOf(state) === 'logs' && state.follow);
    return detail.lines
      .slice(top, top + height)
      .map((line) => line.text)
      .join('\n');
  }
  function choicesFor(row: Row): Choice[] {
    const { pane } = view.getState();
    const container = desk.link().facts.current().containers.get(row.id);
    if (pane !== 'containers' || !container)
      return [choice('name', row.name), ...(row.id === row.name ? [] : [choice('id', row.id)])];
    const addresses = Object.values(container.NetworkSettings?.Networks ?? {}).map((one) => one?.IPAddress ?? '');
    const ports = (container.Ports ?? []).filter((port) => port.PublicPort);
    return [
      choice('name', nameOf(container)),
      choice('id', container.Id),
      choice('image', container.Image),
      ...addresses.filter(Boolean).map((address) => choice('address', address)),
      ...[...new Set(ports.map((port) => `http://localhost:${port.PublicPort}`))].map((url) => choice('port', url)),
      choice('shell command', `galley exec -it ${nameOf(container)} sh`),
    ];
  }

  return {
    copy() {
      const state = view.getState();
      const row = selectedRow(desk.link().facts.current(), state);
      if (!row) return;
      if (state.focus === 'detail' && (tabOf(state) === 'logs' || tabOf(state) === 'inspect'))
        put('the text on the screen', textOnScreen());
      else desk.choose('Copy', choicesFor(row));
    },
    save() {
      const state = view.getState();
      const row = selectedRow(desk.link().facts.current(), state);
      const { lines } = desk.link().detail.current();
      if (!row || lines.length === 0) {
        desk.say('there is no text to save');
        return;
      }
      const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '');
      const name = `${row.name.replace(/[^\w.-]+/g, '_')}-${tabOf(state)}-${stamp}.txt`;
      const file = path.resolve(name);
      try {
        writeFileSync(file, `${lines.map((line) => line.text).join('\n')}\n`, { flag: 'wx' });
        desk.say(`${lines.length} lines are in ${file}`);
      } catch (error) {
        desk.fail(error);
      }
    },
  };
}

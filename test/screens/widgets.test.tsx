/** The widgets on their own, drawn by Ink. */
import { Box } from 'ink';
import { render } from 'ink-testing-library';
import type { ReactElement } from 'react';
import { describe, expect, it } from 'vitest';
import { initialView, type View } from '../../src/store/index.ts';
import { DialogView } from '../../src/tui/Dialogs.tsx';
import { Lines } from '../../src/tui/widgets/Lines.tsx';
import { panel } from '../../src/tui/widgets/line.ts';

const drawn = (inside: ReactElement) =>
  render(
    <Box width={80} height={24} flexDirection="column">
      {inside}
    </Box>,
  )
    .lastFrame()
    ?.replace(/\x1b\[[\d;]*m/g, '') ?? '';
const dialog = (change: Partial<View>) =>
  drawn(<DialogView view={{ ...initialView(), ...change }} columns={80} rows={24} colour={false} />);

describe('widgets', () => {
  it('a panel is exactly as large as asked, with its title and foot in the frame', () => {
    const lines = panel([{ text: 'title' }], [[{ text: 'inside' }]], 30, 4, true, 'foot');
    const frame = drawn(<Lines lines={lines} colour={false} />);
    expect(frame.trimEnd().split('\n')).toEqual([
      '┏━ title ━━━━━━━━━━━━━━━━━━━━┓',
      '┃inside                      ┃',
      '┃                            ┃',
      '┗━━━━━━━━━━━━━━━━━━━━━ foot ━┛',
    ]);
  });

  it('a question shows its object in a table and stands on Cancel', () => {
    const frame = dialog({
      dialog: {
        kind: 'confirm',
        title: 'Remove this volume?',
        note: 'Its data is deleted.',
        objects: [{ Volume: 'cellar' }],
        verb: 'Remove',
        yes: false,
        run: () => undefined,
      },
    });
    expect(frame).toContain('Remove this volume?');
    expect(frame).toMatch(/│ cellar/);
    expect(frame).toContain('▸ Cancel');
    expect(frame).not.toContain('▸ Remove');
  });

  it('the help names every key of the table, page by page', () => {
    expect(dialog({ dialog: { kind: 'help', scroll: 0 } })).toContain('Show the logs');
    expect(dialog({ dialog: { kind: 'help', scroll: 999 } })).toContain('Quit at once');
  });

  it('a pull shows each layer and the error in the engine’s words', () => {
    const frame = dialog({
      dialog: {
        kind: 'pull',
        name: 'nginx',
        layers: [{ id: '76ca785bb311', status: 'Downloading', current: 500_000, total: 1_000_000 }],
        line: '',
        ended: true,
        error: 'manifest for nginx:9 not found',
        cancel: () => undefined,
      },
    });
    expect(frame).toMatch(/76ca785bb311 Downloading +█+░+ +500kB\/1MB/);
    expect(frame).toContain('✗ manifest for nginx:9 not found');
  });
});

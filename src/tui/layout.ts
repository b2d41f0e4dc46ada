/** Where the areas of the screen are. Pure: drawing and paging read it. */
import { PANES, type Pane, type View } from '../store/index.ts';

export const SMALLEST = { columns: 60, rows: 15 };
const SIDE_BY_SIDE = 140;
/** Header, message and hints. */
export const BARS = 3;

export interface Area {
  width: number;
  height: number;
}

export interface Layout {
  kind: 'list' | 'detail' | 'stacked' | 'beside';
  /** The panes that are drawn, with their frames. */
  lists: readonly (Area & { pane: Pane })[];
  detail: Area;
}

export function layoutOf(view: View, columns: number, rows: number): Layout {
  const height = Math.max(0, rows - BARS);
  const whole = { width: columns, height };
  const none = { width: 0, height: 0 };
  if (view.zoom === 'detail') return { kind: 'detail', lists: [], detail: whole };
  if (view.zoom === 'list') return { kind: 'list', lists: [{ ...whole, pane: view.pane }], detail: none };
  if (columns < SIDE_BY_SIDE) {
    // What has the keys gets the room.
    const list = view.focus === 'detail' ? Math.max(6, Math.floor(height / 3)) : Math.ceil(height / 2);
    return {
      kind: 'stacked',
      lists: [{ width: columns, height: list, pane: view.pane }],
      detail: { width: columns, height: height - list },
    };
  }
  // A list of containers needs its columns first, a text is wide enough with a hundred.
  const width = Math.max(Math.floor(columns / 2), Math.min(80, columns - 60));
  const small = Math.max(4, Math.floor(height / (PANES.length + 2)));
  const large = height - small * (PANES.length - 1);
  return {
    kind: 'beside',
    lists: PANES.map((pane) => ({ width, height: pane === view.pane ? large : small, pane })),
    detail: { width: columns - width, height },
  };
}

/** The room inside the frame that has the keys: rows of text, and their cells. */
export function focusedArea(view: View, columns: number, rows: number): Area {
  const { lists, detail } = layoutOf(view, columns, rows);
  const list = lists.find((one) => one.pane === view.pane);
  const area = (view.focus === 'detail' || !list) && detail.height > 0 ? detail : (list ?? detail);
  // A list's heading is no row of it.
  const heading = area === list ? 1 : 0;
  return { width: Math.max(1, area.width - 2), height: Math.max(1, area.height - 2 - heading) };
}

/** Selection, scrolling, search, marks and order: what only changes the view. */
import { FRESH, matchesIn, ORDERS, rowsOf, selectedIndex, selectedRow, tabOf, windowStart } from '../../store/index.ts';
import { topOf } from '../text-view.ts';
import type { Desk } from './desk.ts';

export interface Moves {
  move(by: number): void;
  moveTo(end: 'top' | 'bottom'): void;
  /** Rows of a page. */
  page(): number;
  findNext(direction: 1 | -1): void;
  toggleFollow(): void;
  mark(): void;
  markAll(): void;
  nextOrder(): void;
  reverseOrder(): void;
}

export function moves(desk: Desk): Moves {
  const { view } = desk;
  const facts = () => desk.link().facts.current();
  const detail = () => desk.link().detail.current();
  const isLogs = () => tabOf(view.getState()) === 'logs';

  /** The first visible line as `scroll` counts, and the largest it can be. */
  function place(): { top: number; last: number } {
    const state = view.getState();
    const { width, height } = desk.area();
    const now = detail();
    const top = topOf(now, state, width, height, isLogs() && state.follow);
    return { top: top + now.dropped, last: topOf(now, state, width, height, true) + now.dropped };
  }
  function scrollTo(line: number): void {
    const { last } = place();
    const tab = tabOf(view.getState());
    const least = detail().dropped;
    // Tables have no lines of text: their own drawing stops at their end.
    const most = tab === 'logs' || tab === 'inspect' ? last : Math.max(0, line);
    const scroll = Math.max(least, Math.min(line, most));
    desk.set({ scroll, follow: isLogs() && line >= last });
  }
  function select(at: number): void {
    const state = view.getState();
    const rows = rowsOf(facts(), state, state.pane);
    const index = Math.max(0, Math.min(at, rows.length - 1));
    const { pane, selected, position, top } = state;
    if (rows.length === 0) return;
    desk.set({
      selected: { ...selected, [pane]: rows[index]?.key ?? '' },
      position: { ...position, [pane]: index },
      top: { ...top, [pane]: windowStart(rows.length, index, desk.area().height, top[pane]) },
      search: '',
      ...FRESH,
    });
  }

  return {
    page: () => desk.area().height,
    move(by) {
      const state = view.getState();
      if (state.focus === 'detail')
        return scrollTo((tabOf(state) === 'logs' || tabOf(state) === 'inspect' ? place().top : state.scroll) + by);
      select(selectedIndex(rowsOf(facts(), state, state.pane), state, state.pane) + by);
    },
    moveTo(end) {
      if (view.getState().focus === 'detail') scrollTo(end === 'top' ? detail().dropped : Number.MAX_SAFE_INTEGER);
      else select(end === 'top' ? 0 : Number.MAX_SAFE_INTEGER);
    },
    findNext(direction) {
      const state = view.getState();
      const { lines, dropped } = detail();
      const found = matchesIn(lines, state.search);
      if (state.search === '') return desk.say('/ searches in this text');
      if (found.length === 0) return desk.say(`nothing here has ${state.search}`);
      const { top, last } = place();
      const { height } = desk.area();
      // The first search starts with what is on the screen: its end while following, else its beginning.
      const fresh = state.match < 0;
      const from = fresh
        ? (state.follow && isLogs() ? last + height : top) - dropped
        : state.match - dropped + direction;
      const way = fresh && state.follow && isLogs() ? -1 : direction;
      const next = way > 0 ? found.find((at) => at >= from) : found.findLast((at) => at <= from);
      const at = next ?? (way > 0 ? found[0] : found.at(-1)) ?? 0;
      if (next === undefined) desk.say(way > 0 ? 'search goes on from the top' : 'search goes on from the end');
      const line = at + dropped;
      const visible = line >= top && line < top + height - 1;
      desk.set({
        match: line,
        follow: false,
        scroll: visible ? top : Math.max(dropped, Math.min(line - Math.floor(height / 3), last)),
      });
    },
    toggleFollow() {
      const { follow } = view.getState();
      if (!isLogs()) return desk.say('f is for logs');
      desk.set(follow ? { follow: false, scroll: place().top } : { follow: true });
    },
    mark() {
      const state = view.getState();
      const row = selectedRow(facts(), state);
      if (!row) return;
      const marked = new Set(state.marked);
      if (!marked.delete(row.key)) marked.add(row.key);
      desk.set({ marked });
      if (state.focus === 'list') select(selectedIndex(rowsOf(facts(), state, state.pane), state, state.pane) + 1);
    },
    markAll() {
      const state = view.getState();
      const keys = rowsOf(facts(), state, state.pane).map((row) => row.key);
      desk.set({ marked: new Set(keys.every((key) => state.marked.has(key)) ? [] : keys) });
    },
    nextOrder() {
      const { pane, order } = view.getState();
      const columns = ORDERS[pane].map((one) => one.column);
      const column = columns[(Math.max(0, columns.indexOf(order[pane].column)) + 1) % columns.length] ?? '';
      desk.set({ order: { ...order, [pane]: { column, reverse: false } } });
      desk.say(`ordered by ${column.toLowerCase()}; O turns it round`);
    },
    reverseOrder() {
      const { pane, order } = view.getState();
      const { column, reverse } = order[pane];
      desk.set({
        order: { ...order, [pane]: { column: column || (ORDERS[pane][0]?.column ?? ''), reverse: !reverse } },
      });
    },
  };
}

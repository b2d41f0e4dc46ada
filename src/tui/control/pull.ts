/** Pulling an image by name, with its layers on the screen. */
import { cleanLine, type Dialog, type PullLayer } from '../../store/index.ts';
import type { Desk } from './desk.ts';

const DRAW_MS = 80;

/** Opens the dialog and pulls. A failure stays in the dialog in the engine's words. */
export function startPull(desk: Desk, name: string): void {
  const ending = new AbortController();
  const layers = new Map<string, PullLayer>();
  let shown: Extract<Dialog, { kind: 'pull' }> = {
    kind: 'pull',
    name,
    layers: [],
    line: 'asking the registry …',
    ended: false,
    error: '',
    cancel: () => ending.abort(),
  };
  let timer: NodeJS.Timeout | undefined;
  const draw = () => {
    clearTimeout(timer);
    timer = undefined;
    if (desk.view.getState().dialog?.kind === 'pull') desk.set({ dialog: shown });
  };
  const change = (patch: Partial<typeof shown>) => {
    shown = { ...shown, ...patch };
    timer ??= setTimeout(draw, DRAW_MS);
  };
  desk.set({ dialog: shown });

  async function work(): Promise<void> {
    for await (const line of desk.link().client.pull(name, { signal: ending.signal })) {
      const { current, total } = line.progressDetail ?? {};
      if (line.id && !/^Pulling from/.test(line.status ?? '')) {
        const old = layers.get(line.id);
        layers.set(line.id, {
          id: line.id,
          status: line.status ?? '',
          current: current ?? old?.current ?? 0,
          total: total ?? old?.total ?? 0,
        });
        change({ layers: [...layers.values()] });
      } else change({ line: cleanLine(line.status ?? '') });
    }
  }
  work().then(
    () => {
      change({ ended: true });
      draw();
    },
    (error: unknown) => {
      const words = cleanLine(error instanceof Error ? error.message : String(error));
      change({
        ended: true,
        error: ending.signal.aborted ? 'cancelled; what was fetched is kept for the next try' : words,
      });
      draw();
    },
  );
}

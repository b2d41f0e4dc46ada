/** Whatever may end the dashboard from outside, and the terminal given back after it. */

export interface Ending {
  /** Exit code: 128 + signal, 1 for an error. */
  code: number;
  error?: unknown;
}

export interface Guard {
  /** Ends the watch and gives the terminal back. */
  release(): void;
}

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
/** Mouse off, bracketed paste off, a soft reset (character set, insert mode; some terminals end wrapping with it), wrapping on, cursor on, attributes off. */
export const RESET_MODES = '\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[!p\x1b[?7h\x1b[?25h\x1b[0m';

/** Calls `onEnd` for a signal, an error that nobody caught and a terminal that went away; the first one counts. */
export function guardTerminal(onEnd: (ending: Ending) => void): Guard {
  const { stdin, stdout } = process;
  let gone = false;
  const onSignal = (signal: NodeJS.Signals) => onEnd({ code: SIGNALS[signal as keyof typeof SIGNALS] });
  const onCrash = (error: unknown) => onEnd({ code: 1, error });
  const onTerminalError = () => {
    gone = true;
    onSignal('SIGHUP');
  };
  const signals = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  for (const signal of signals) process.on(signal, onSignal);
  process.on('uncaughtException', onCrash);
  process.on('unhandledRejection', onCrash);
  // A terminal that was closed: its end when it is read, EIO or EPIPE when it is written.
  stdin.on('end', onTerminalError);
  stdin.on('error', onTerminalError);
  stdout.on('error', onTerminalError);
  return {
    release() {
      for (const signal of signals) process.off(signal, onSignal);
      if (gone) return;
      try {
        if (stdin.isTTY) stdin.setRawMode(false);
        if (stdout.isTTY) stdout.write(RESET_MODES);
      } catch (error) {
        // A terminal that is gone needs nothing back.
        if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      }
    },
  };
}

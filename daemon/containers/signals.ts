import { constants } from 'node:os';
import { containerErrors } from '../errors/containers.ts';

const BY_NAME = new Map(Object.entries(constants.signals).map(([name, number]) => [name.slice(3), number]));
const LARGEST = 64;

/** `KILL`, `SIGKILL`, `9`, `RTMIN+3` to the number. @throws EngineError 400 */
export function signalNumber(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number < 1) throw containerErrors.badSignal(text);
    if (number > LARGEST) throw containerErrors.unsupportedSignal(text);
    return number;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^(RTMIN|RTMAX)([+-]\d+)?$/.exec(name);
  if (realTime) {
    const number = (realTime[1] === 'RTMIN' ? 34 : LARGEST) + Number(realTime[2] ?? 0);
    if (number >= 34 && number <= LARGEST) return number;
  }
  const number = BY_NAME.get(name);
  if (number === undefined) throw containerErrors.badSignal(text);
  return number;
}

export const SIGTERM = constants.signals.SIGTERM;
export const SIGKILL = constants.signals.SIGKILL;

const BLOCKS = ' ▁▂▃▄▅▆▇█';

/** Bars of the newest `width` values, `height` rows, top row first. `top` is the value of a full bar. */
export function chart(values: readonly number[], width: number, height: number, top: number): string[] {
  const shown = values.slice(-width);
  return Array.from({ length: height }, (_, at) => {
    const below = height - 1 - at;
    const bars = shown.map((value) => {
      const eighths = Math.round((Math.max(0, value) / (top || 1)) * height * 8) - below * 8;
      const least = below === 0 && value > 0 ? 1 : 0;
      return BLOCKS[Math.max(least, Math.min(8, eighths))];
    });
    return bars.join('').padStart(width);
  });
}

/** A round number at or above the largest value. */
export function scaleOf(values: readonly number[]): number {
  const largest = Math.max(1, ...values);
  const power = 10 ** Math.floor(Math.log10(largest));
  return ([1, 2, 5, 10].find((step) => step * power >= largest) ?? 10) * power;
}

import { render } from 'ink-testing-library';
import { describe, expect, it } from 'vitest';
import type { EngineClient } from '../../src/client/types.ts';
import { createFacts } from '../../src/store/facts.ts';
import { App } from '../../src/tui/App.tsx';

/** A frame needs no engine: with a fixed size nothing is loaded. */
const nobody = {} as EngineClient;

describe('frames of the dashboard', () => {
  it.each([
    [80, 24],
    [120, 40],
    [200, 50],
  ])('at %ix%i: header, panes, hints, never wider than the terminal', (columns, rows) => {
    const facts = createFacts('unix:///run/galley/galley.sock');
    facts.setState({ trouble: '', engine: 'galley 0.1.0' });
    const frame = render(<App client={nobody} facts={facts} size={{ columns, rows }} />).lastFrame() ?? '';
    const lines = frame.split('\n');
    expect(lines.length).toBeLessThanOrEqual(rows);
    expect(lines.every((line) => line.length <= columns)).toBe(true);
    expect(lines[0]).toMatch(/^galley {2}galley 0\.1\.0 {2}unix:\/\/\/run\/galley\/galley\.sock/);
    expect(frame).toContain('[1 containers]');
    expect(frame).toContain('no containers yet');
    expect(frame).toContain('? help');
  });

  it('says that the engine is gone and that it tries again', () => {
    const facts = createFacts('unix:///x');
    facts.setState({ trouble: 'connect ENOENT /x' });
    const frame = render(<App client={nobody} facts={facts} size={{ columns: 120, rows: 30 }} />).lastFrame() ?? '';
    expect(frame).toContain('! not connected: connect ENOENT /x');
  });

  it('says so when the terminal is too small', () => {
    const frame = render(<App client={nobody} facts={createFacts('x')} size={{ columns: 40, rows: 10 }} />).lastFrame();
    expect(frame).toBe('galley needs 60x15; this terminal is 40x10');
  });
});

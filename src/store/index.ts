/** Facts and view of the dashboard. */
export * from './clean.ts';
export * from './detail.ts';
export * from './facts.ts';
export * from './selectors.ts';
export * from './stats.ts';
export * from './sync.ts';
export * from './view.ts';

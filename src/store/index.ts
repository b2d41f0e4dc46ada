/** Facts and view of the dashboard. */
export * from './ansi.ts';
export * from './cells.ts';
export * from './detail.ts';
export * from './facts.ts';
export * from './filter.ts';
export * from './link.ts';
export type * from './options.ts';
export * from './search.ts';
export * from './selectors.ts';
export * from './stats.ts';
export * from './sync.ts';
export * from './view.ts';

export * from './containers.ts';
export * from './filters.ts';
export * from './framing.ts';
export * from './images.ts';
export * from './networks.ts';
export * from './references.ts';
export * from './system.ts';
export * from './version.ts';

export { createEventBus } from './events.ts';
export { EVENT_FILTERS } from './filters.ts';
export type { EventBus, EventListener, SubscribeOptions } from './types.ts';

export { createEventBus } from './events.ts';
export type { EventBus, EventListener, SubscribeOptions } from './types.ts';

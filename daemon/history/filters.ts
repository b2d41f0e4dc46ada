import { type EngineEvent, type Filters, hasLabel } from '../../src/api/index.ts';

/** Filters on objects that this engine does not have. */
const FOREIGN = new Set(['config', 'node', 'plugin', 'secret', 'service']);

/** The action without its argument: `exec_start: sh` is `exec_start`, `health_status: healthy` matches both ways. */
function actionMatches(action: string, wanted: string): boolean {
  return action === wanted || action.split(':', 1)[0] === wanted;
}

function actorMatches(event: EngineEvent, wanted: string): boolean {
  const { ID, Attributes } = event.Actor;
  return ID === wanted || Attributes['name'] === wanted || (/^[0-9a-f]+$/.test(wanted) && ID.startsWith(wanted));
}

/** An image filter also selects the containers made from it; a name without a tag selects every tag. */
function imageMatches(event: EngineEvent, wanted: string): boolean {
  const names = [event.Actor.ID, event.Actor.Attributes['name'] ?? '', event.Actor.Attributes['image'] ?? ''];
  return names.some((name) => name === wanted || name.replace(/:[^:/]*$/, '') === wanted);
}

/** One key's values are alternatives, different keys must all hold, labels must all hold. */
export function eventMatches(event: EngineEvent, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => {
    if (values.length === 0) return true;
    switch (key) {
      case 'event':
        return values.some((v) => actionMatches(event.Action, v));
      case 'type':
        return values.includes(event.Type);
      case 'scope':
        return values.includes(event.scope);
      case 'label':
        return values.every((v) => hasLabel(event.Actor.Attributes, v));
      case 'image':
        return (event.Type === 'image' || event.Type === 'container') && values.some((v) => imageMatches(event, v));
      case 'container':
      case 'network':
      case 'volume':
      case 'daemon':
        return event.Type === key && values.some((v) => actorMatches(event, v));
      default:
        return !FOREIGN.has(key); // Docker lets a filter that it does not know pass
    }
  });
}

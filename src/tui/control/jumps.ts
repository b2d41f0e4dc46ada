/** From a container to what it uses, from an image, volume or network to its containers, and back. */
import { type Choice, FRESH, nameOf, type Pane, type Place, rowsOf, selectedRow, usersOf } from '../../store/index.ts';
import { stateCell } from '../lists.ts';
import type { Desk } from './desk.ts';

export interface Jumps {
  jump(): void;
  jumpBack(): void;
}

const TRAIL = 50;
/** A container's image as the list of images writes it. */
const withTag = (image: string) => (/:[^/]+$/.test(image) ? image : `${image}:latest`);

export function jumps(desk: Desk): Jumps {
  const { view } = desk;
  const arrive = ({ pane, id, name }: Place) => {
    const { filter } = view.getState();
    // What is filtered out could not be selected.
    desk.set({ filter: { ...filter, [pane]: '' }, ...(pane === 'containers' ? { all: true } : {}) });
    const rows = rowsOf(desk.link().facts.current(), view.getState(), pane).filter((row) => row.id === id);
    const row = rows.find((one) => one.name === name) ?? rows[0];
    if (!row) {
      desk.say('it is gone');
      return;
    }
    const { selected } = view.getState();
    desk.set({
      pane,
      focus: 'list',
      selected: { ...selected, [pane]: row.key },
      marked: new Set(),
      search: '',
      ...FRESH,
    });
  };
  const choiceOf = (place: Place, title: string, note: string): Choice => ({
    title,
    note,
    run: () => {
      const { pane, trail } = view.getState();
      const here = selectedRow(desk.link().facts.current(), view.getState());
      if (here) desk.set({ trail: [...trail, { pane, id: here.id, name: here.name }].slice(-TRAIL) });
      arrive(place);
    },
  });

  function choices(pane: Pane, id: string): Choice[] {
    const facts = desk.link().facts.current();
    if (pane !== 'containers')
      return usersOf(facts, pane, id).map((one) =>
        choiceOf({ pane: 'containers', id: one.Id }, nameOf(one), stateCell(one).text),
      );
    const container = facts.containers.get(id);
    if (!container) return [];
    const networks = Object.entries(container.NetworkSettings?.Networks ?? {});
    return [
      ...(facts.images.has(container.ImageID)
        ? [
            choiceOf(
              { pane: 'images', id: container.ImageID, name: withTag(container.Image) },
              container.Image,
              'image',
            ),
          ]
        : []),
      ...(container.Mounts ?? [])
        .filter((mount) => mount.Name && facts.volumes.has(mount.Name))
        .map((mount) =>
          choiceOf({ pane: 'volumes', id: mount.Name ?? '' }, mount.Name ?? '', `volume at ${mount.Destination}`),
        ),
      ...networks.flatMap(([name, { NetworkID: network = '', IPAddress: address = '' }]) =>
        facts.networks.has(network) ? [choiceOf({ pane: 'networks', id: network }, name, `network ${address}`)] : [],
      ),
    ];
  }

  return {
    jump() {
      const { pane } = view.getState();
      const row = selectedRow(desk.link().facts.current(), view.getState());
      if (!row) return;
      const found = choices(pane, row.id);
      if (found.length === 0)
        desk.say(pane === 'containers' ? `${row.name} uses nothing that is left` : `no container uses ${row.name}`);
      else if (found.length === 1) found[0]?.run();
      else desk.choose(`From ${row.name} to`, found);
    },
    jumpBack() {
      const { trail } = view.getState();
      const place = trail.at(-1);
      if (!place) return desk.say('no jump to come back from');
      desk.set({ trail: trail.slice(0, -1) });
      arrive(place);
    },
  };
}

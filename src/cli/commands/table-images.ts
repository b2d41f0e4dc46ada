import type { CommandSpec } from '../types.ts';
import { ANY, FILTER, FORMAT_LIST, flag, NO_TRUNC } from './flag.ts';

const CHANGE = flag('change', 'c', 'list', 'Dockerfile instruction to apply to the image');

/** Images on the way in and out, and what they are made of. */
export const IMAGE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'push',
    aliases: ['image push'],
    summary: 'Upload an image to a registry',
    usage: '[OPTIONS] NAME[:TAG]',
    args: { min: 1, max: 1 },
    flags: [
      flag('all-tags', 'a', 'bool', 'every tag of the repository that is here'),
      flag('quiet', 'q', 'bool', 'no progress'),
      flag('disable-content-trust', '', 'bool', 'skip image signing', { default: 'true', hidden: true }),
    ],
    completes: 'images',
    load: () => import('./push.ts'),
  },
  {
    name: 'save',
    aliases: ['image save'],
    summary: 'Write images into a tar that docker, podman and skopeo read, too',
    usage: '[OPTIONS] IMAGE [IMAGE...]',
    args: { min: 1, max: ANY },
    flags: [flag('output', 'o', 'string', 'file to write, instead of stdout')],
    completes: 'images',
    examples: [['galley save web | ssh host galley load', 'carry an image to another host']],
    load: () => import('./save.ts'),
  },
  {
    name: 'load',
    aliases: ['image load'],
    summary: 'Read images from a tar, packed or not',
    usage: '[OPTIONS]',
    args: { min: 0, max: 0 },
    flags: [flag('input', 'i', 'string', 'file to read, instead of stdin'), flag('quiet', 'q', 'bool', 'no progress')],
    load: () => import('./load.ts'),
  },
  {
    name: 'import',
    aliases: ['image import'],
    summary: 'Make an image from the tar of a root file system',
    usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
    args: { min: 1, max: 2 },
    flags: [
      CHANGE,
      flag('message', 'm', 'string', 'comment of the image'),
      flag('platform', '', 'string', 'platform: OS[/ARCH[/VARIANT]]'),
    ],
    examples: [[`galley import -c 'CMD ["sh"]' root.tar base:v1`, 'with a default command']],
    load: () => import('./import.ts'),
  },
  {
    name: 'history',
    aliases: ['image history'],
    summary: 'Show the steps that an image was made in',
    usage: '[OPTIONS] IMAGE',
    args: { min: 1, max: 1 },
    flags: [
      FORMAT_LIST,
      flag('human', 'H', 'bool', 'sizes and dates for people', { default: 'true' }),
      NO_TRUNC,
      flag('quiet', 'q', 'bool', 'ids only'),
    ],
    completes: 'images',
    load: () => import('./history.ts'),
  },
  {
    name: 'image prune',
    summary: 'Remove images that nothing uses',
    usage: '[OPTIONS]',
    args: { min: 0, max: 0 },
    flags: [
      flag('all', 'a', 'bool', 'those with a name that no container uses, too'),
      flag('filter', '', 'filter', 'only what matches KEY=VALUE: until, label'),
      flag('force', 'f', 'bool', 'do not ask'),
    ],
    load: () => import('./prune.ts'),
  },
  {
    name: 'system fsck',
    summary: 'Check that everything images refer to is there and undamaged',
    usage: '[OPTIONS]',
    args: { min: 0, max: 0 },
    flags: [flag('deep', '', 'bool', 'read and hash every blob and layer, too')],
    own: true,
    load: () => import('./system-fsck.ts'),
  },
  {
    name: 'search',
    summary: 'Search Docker Hub or a registry for images',
    usage: '[OPTIONS] TERM',
    args: { min: 1, max: 1 },
    flags: [
      FILTER,
      flag('format', '', 'string', 'Go template for each line'),
      flag('limit', '', 'int', 'at most so many results'),
      NO_TRUNC,
    ],
    load: () => import('./search.ts'),
  },
];

/** Commands that change, copy out or clean up what is there. */
import type { CommandSpec } from '../types.ts';
import { ANY, flag } from './flag.ts';
import { UPDATE_FLAGS } from './run-flags.ts';

const PRUNE = [
  flag('filter', '', 'filter', 'only what matches KEY=VALUE: until, label'),
  flag('force', 'f', 'bool', 'do not ask'),
];
const none = { min: 0, max: 0 };
const two = { min: 2, max: 2 };

export const CHANGE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'update',
    aliases: ['container update'],
    summary: 'Change limits and restart policy of containers',
    usage: '[OPTIONS] CONTAINER [CONTAINER...]',
    args: { min: 1, max: ANY },
    flags: UPDATE_FLAGS,
    completes: 'containers',
    examples: [['galley update -m 512m --restart always web', 'more memory, and started again whenever it ends']],
    load: () => import('./update.ts'),
  },
  {
    name: 'diff',
    aliases: ['container diff'],
    summary: 'Show what a container changed in its files',
    usage: 'CONTAINER',
    args: { min: 1, max: 1 },
    flags: [],
    completes: 'containers',
    examples: [['galley diff web', 'A is added, C changed, D deleted']],
    load: () => import('./diff.ts'),
  },
  {
    name: 'commit',
    aliases: ['container commit'],
    summary: "Make an image of a container's files and settings",
    usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
    args: { min: 1, max: 2 },
    flags: [
      flag('author', 'a', 'string', 'who made it'),
      flag('change', 'c', 'list', 'Dockerfile instruction to apply'),
      flag('message', 'm', 'string', 'what it is'),
      flag('pause', 'p', 'bool', 'pause the container meanwhile', { default: 'true' }),
    ],
    completes: 'containers',
    examples: [['galley commit -c \'CMD ["nginx"]\' web web:tuned', 'keep what was tried by hand']],
    load: () => import('./commit.ts'),
  },
  {
    name: 'export',
    aliases: ['container export'],
    summary: "Write a container's files as one tar",
    usage: '[OPTIONS] CONTAINER',
    args: { min: 1, max: 1 },
    flags: [flag('output', 'o', 'string', 'write to this file, not to stdout')],
    completes: 'containers',
    examples: [['galley export -o web.tar web', 'into a file']],
    load: () => import('./export.ts'),
  },
  {
    name: 'container prune',
    summary: 'Remove all stopped containers',
    usage: '[OPTIONS]',
    args: none,
    flags: PRUNE,
    load: () => import('./prune.ts'),
  },
  {
    name: 'network prune',
    summary: 'Remove networks that no container uses',
    usage: '[OPTIONS]',
    args: none,
    flags: PRUNE,
    load: () => import('./prune.ts'),
  },
  {
    name: 'network connect',
    summary: 'Join a container to a network',
    usage: '[OPTIONS] NETWORK CONTAINER',
    args: two,
    flags: [
      flag('alias', '', 'list', 'one more name on the network'),
      flag('driver-opt', '', 'list', 'option of the driver, KEY=VALUE'),
      flag('gw-priority', '', 'int', 'the highest gives the default gateway'),
      flag('ip', '', 'string', 'IPv4 address on the network'),
      flag('ip6', '', 'string', 'IPv6 address on the network'),
      flag('link', '', 'list', 'link to another container'),
      flag('link-local-ip', '', 'list', 'link-local address'),
    ],
    completes: 'networks',
    examples: [['galley network connect --alias db backend postgres', 'reachable there as db']],
    load: () => import('./network-connect.ts'),
  },
  {
    name: 'network disconnect',
    summary: 'Take a container out of a network',
    usage: '[OPTIONS] NETWORK CONTAINER',
    args: two,
    flags: [flag('force', 'f', 'bool', 'also when the container is in trouble')],
    completes: 'networks',
    load: () => import('./network-connect.ts'),
  },
  {
    name: 'system df',
    summary: 'Show what images, containers and volumes take on the disk',
    usage: '[OPTIONS]',
    args: none,
    flags: [
      flag('format', '', 'string', 'table (default), json or a Go template'),
      flag('verbose', 'v', 'bool', 'each object by itself'),
    ],
    examples: [['galley system df -v', 'each object by itself']],
    load: () => import('./system-df.ts'),
  },
  {
    name: 'system prune',
    summary: 'Remove stopped containers, unused networks and dangling images',
    usage: '[OPTIONS]',
    args: none,
    flags: [
      flag('all', 'a', 'bool', 'every image that no container uses, not just dangling ones'),
      ...PRUNE,
      flag('volumes', '', 'bool', 'anonymous volumes that no container uses, too'),
    ],
    examples: [['galley system prune -a --volumes', 'all that no container uses']],
    load: () => import('./system-prune.ts'),
  },
];

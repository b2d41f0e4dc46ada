import { flag } from './flag.ts';

/** Flags that go through to galleyd; it checks their values. */
export const DAEMON_FLAGS = [
  flag('data-root', '', 'string', 'folder of images, layers and containers (default /var/lib/galley)'),
  flag('exec-root', '', 'string', 'folder of sockets and run state (default /run/galley)'),
  flag('host', 'H', 'list', 'where it listens (default unix:///run/galley/galley.sock)'),
  flag('name', '', 'string', 'prefix of bridges, nft table and cgroups (default galley)'),
  flag('log-level', 'l', 'string', 'debug, info, warn or error'),
  flag('log-file', '', 'string', "galleyd's own log (in the background: /var/log/galleyd.log, or in an own data root)"),
  flag('config', '', 'string', 'JSON file with the same settings; flags win'),
  flag('registry-mirror', '', 'list', 'mirror of docker.io'),
  flag('insecure-registry', '', 'list', 'registry (or CIDR) that may speak plain HTTP'),
  flag('tlsverify', '', 'bool', 'ask tcp clients for a certificate'),
  flag('tlscacert', '', 'string', 'CA of the client certificates'),
  flag('tlscert', '', 'string', 'certificate of the engine'),
  flag('tlskey', '', 'string', 'key of the engine'),
  flag('insecure-tcp', '', 'bool', 'listen on tcp without TLS'),
  flag('default-runtime', '', 'string', 'OCI runtime of containers that name none (default runc)'),
  flag('layer-driver', '', 'string', 'how new layers lie on disk: erofs, dirs or auto (default: what works)'),
  flag('drop-layer-blobs', '', 'bool', 'keep no compressed copy of layers that are erofs images'),
  flag('netns-pool', '', 'int', 'network namespaces kept ready (default 3)'),
];

// The import rules of the design (section 2): imports go one way, a domain folder shows only its index.
const domains = 'containers|images|build|networks|volumes|history';
const from = (path, to, name, comment, extra = {}) => ({ name, severity: 'error', comment, from: { path, ...extra.from }, to: { path: to, ...extra.to } });
module.exports = {
  forbidden: [
    { name: 'no-cycle', severity: 'error', comment: 'A cycle means two modules are one; a command that is loaded lazily may know the table that names it.', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import'] } } },
    from('^src/', '^daemon/', 'client-not-daemon', 'The client speaks the Engine API and nothing else.'),
    from('^daemon/', '^src/(?!api/)', 'daemon-only-api', 'The daemon shares wire types with the client, no more.'),
    from('^src/api/', '^(?!src/api/)', 'api-is-a-leaf', 'Wire types stand alone.', { to: { dependencyTypesNot: ['core'] } }),
    from(`^daemon/(${domains})/`, `^daemon/(${domains})/`, 'domains-are-strangers', 'A domain gets its neighbours handed in by main (an interface of its own), never by import.', {
      to: { pathNot: '^daemon/$1/' },
    }),
    from(`^daemon/(${domains}|layers|runtime|state|system|errors)/`, '^daemon/(api/|main)', 'nothing-imports-the-api', 'HTTP stays at the edge.'),
    from('^daemon/(layers|runtime|state)/', `^daemon/(${domains}|api)/`, 'lower-not-upper', 'Layers, runtime and state know no domain.'),
    from('^daemon/(layers|runtime|state)/', '^daemon/(layers|runtime|state)/', 'lower-are-strangers', 'The lower three do not know each other.', { to: { pathNot: '^daemon/$1/' } }),
    from('^daemon/system/', '^daemon/(?!system/|errors/)', 'system-is-the-bottom', 'Syscalls and spawned tools know nothing above them.'),
    from('^daemon/errors/', '^daemon/(?!errors/)', 'errors-is-a-leaf', 'The catalogue is only words and numbers.'),
    from('^daemon/(api|main)', `^daemon/(${domains}|layers|runtime|state)/(?!index\\.ts$|types\\.ts$)`, 'only-the-public-face', 'A domain folder has an index.ts that is its whole public face.'),
    from('^src/(client|format|store)/', '^src/(tui|cli)/', 'client-below-views', 'The client, formatters and facts know no view.'),
    from('^src/(cli)/', '^src/(tui)/', 'cli-without-tui', 'A one-shot command never loads React.'),
    from('^src/tui/', '^src/cli/(?!commands/table|engine)', 'tui-not-cli', 'The dashboard does not run commands through the command line.'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'], conditionNames: ['import', 'node', 'default', 'types'] },
    exclude: { path: '(^|/)(node_modules|dist|\\.cache)/' },
  },
};

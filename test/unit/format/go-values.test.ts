/** Templates of inspect see Go's types: what the engine leaves out has its zero value, and names are Go's. */
import { describe, expect, it } from 'vitest';
import { goObject } from '../../../src/format/go-values.ts';
import { compareNatural } from '../../../src/format/natural.ts';
import { compileTemplate } from '../../../src/format/template.ts';

const container = {
  Id: 'abc',
  Created: '2026-01-02T03:04:05Z',
  State: { Status: 'running', Running: true },
  HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] }, Binds: null },
  Config: { Labels: { a: 'b' }, Healthcheck: { Test: ['CMD', 'true'], Interval: 90e9 } },
  Mounts: [{ Type: 'bind', Source: '/a', Destination: '/b', RW: true }],
};
const on = (source: string) => compileTemplate(source, { strict: false }).execute(goObject(container, 'container'));

describe('a container as its Go type', () => {
  it.each([
    ['{{.ID}}', 'abc'],
    ['{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}', 'none'],
    ['{{.State.Health}} {{json .State.Health}} {{.HostConfig.Init}}', '<nil> null <nil>'],
    ['{{.HostConfig.PortBindings}}', 'map[80/tcp:[{ 8080}]]'],
    ['{{range $p, $b := .HostConfig.PortBindings}}{{$p}} {{(index $b 0).HostPort}}{{end}}', '80/tcp 8080'],
    ['{{.Mounts}}', '[{bind  /a /b   true }]'],
    ['{{.HostConfig.Binds}} {{json .HostConfig.Binds}} {{len .HostConfig.Binds}}', '[] null 0'],
    ['{{.Config.Healthcheck}}', '{[CMD true] 1m30s 0s 0s 0s 0}'],
    ['{{.Config.Labels.zz}}|{{index .Config.Labels "zz"}}|{{.Config.Entrypoint}}', '<no value>||[]'],
    ['{{json .Config}}', JSON.stringify(container.Config)],
    ['{{json .}}', JSON.stringify(container)],
    ['{{.RestartCount}} {{.Name}}| {{.HostConfig.Privileged}}', '0 | false'],
  ])('%s is %s', (source, text) => expect(on(source)).toBe(text));

  it.each(['{{.Id}}', '{{.State.Health.Status}}', '{{.constructor}}', '{{.toJSON}}'])(
    '%s is no field of it',
    (source) => {
      expect(() => on(source)).toThrow(/executing "" at <\.(Id|State\.Health\.Status|constructor|toJSON)>/);
    },
  );

  it('prints times as Go does', () => {
    const network = goObject({ Created: '2026-11-27T18:07:17.120000000Z', Name: 'n' }, 'network');
    expect(compileTemplate('{{.Created}}').execute(network)).toBe('2026-11-27 18:07:17.12 +0000 UTC');
    expect(compileTemplate('{{json .Created}}').execute(network)).toBe('"2026-11-27T18:07:17.120000000Z"');
  });
});

it('names are sorted as people count', () => {
  const names = ['v10', 'v2', 'a', 'v2b', 'v', '10', '9', 'v02'];
  expect(names.toSorted(compareNatural)).toEqual(['9', '10', 'a', 'v', 'v02', 'v2', 'v2b', 'v10']);
});

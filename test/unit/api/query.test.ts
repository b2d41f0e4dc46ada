import { describe, expect, it } from 'vitest';
import { filters, flag, integer, timestamp } from '../../../daemon/api/query.ts';
import { decodeRegistryAuth } from '../../../daemon/api/routes/image-transfers.ts';
import { createContainerBody } from '../../../daemon/api/schemas/container.ts';

const q = (text: string) => new URLSearchParams(text);

describe('query parameters', () => {
  it.each([
    ['1', true],
    ['true', true],
    ['yes', true],
    ['0', false],
    ['', false],
    ['no', false],
    ['False', false],
    ['none', false],
  ])('a boolean %j is %s', (text, value) => expect(flag(q(`x=${text}`), 'x')).toBe(value));

  it('reads whole numbers within bounds and names what is none', () => {
    expect(integer(q('h=24'), 'h', 0)).toBe(24);
    expect(integer(q(''), 'h', 7)).toBe(7);
    expect(() => integer(q('h=2x'), 'h', 0)).toThrow('invalid value "2x" for parameter h');
    expect(() => integer(q('h=-1'), 'h', 0, 0, 10)).toThrow('not between 0 and 10');
  });

  it('reads times to the nanosecond', () => {
    expect(timestamp(q('since=1700000000.000000001'), 'since')).toBe(1_700_000_000_000_000_001n);
    expect(timestamp(q('since=1700000000'), 'since')).toBe(1_700_000_000_000_000_000n);
    expect(timestamp(q('since=2023-11-14T22:13:20.5Z'), 'since')).toBe(1_700_000_000_500_000_000n);
    expect(timestamp(q(''), 'since')).toBeUndefined();
    expect(() => timestamp(q('since=99999999999999'), 'since')).toThrow('beyond what 64 bits hold');
    expect(() => timestamp(q('since=yesterday'), 'since')).toThrow('yesterday');
  });

  it('reads filters of Go clients and of older ones alike', () => {
    const go = filters(q(`filters=${encodeURIComponent('{"status":{"exited":true,"dead":false}}')}`), ['status']);
    const old = filters(q(`filters=${encodeURIComponent('{"status":["exited"]}')}`), ['status']);
    expect(go).toEqual({ status: ['exited'] });
    expect(old).toEqual(go);
    expect(() => filters(q('filters={"x":["y"]}'), ['status'])).toThrow("invalid filter 'x'");
    for (const bad of ['{', '[]', '5', '{"status":3}'])
      expect(() => filters(q(`filters=${encodeURIComponent(bad)}`), ['status'])).toThrow('invalid filters');
  });

  it('takes a registry login, and ignores what it cannot read', () => {
    const header = Buffer.from(JSON.stringify({ username: 'a', password: 'b?>' })).toString('base64url');
    expect(decodeRegistryAuth(header)).toEqual({ username: 'a', password: 'b?>' });
    for (const bad of ['%%%', Buffer.from('5').toString('base64'), undefined])
      expect(decodeRegistryAuth(bad)).toBeUndefined();
  });
});

describe('the create body', () => {
  it('fills in what the client left out', () => {
    const body = createContainerBody.parse({
      Image: 'busybox',
      Cmd: 'true',
      hostconfig: { memory: 6291456, NetworkMode: null },
    });
    expect(body.Cmd).toEqual(['true']);
    expect(body.HostConfig.Memory).toBe(6291456);
    expect(body.HostConfig.NetworkMode).toBe('');
    expect(body.HostConfig.RestartPolicy).toEqual({ Name: '', MaximumRetryCount: 0 });
    expect(createContainerBody.parse({ Image: 'x' }).HostConfig.LogConfig).toEqual({ Type: '', Config: null });
  });

  it('keeps the difference between no masked paths and the default ones', () => {
    expect(createContainerBody.parse({ HostConfig: { MaskedPaths: [] } }).HostConfig.MaskedPaths).toEqual([]);
    expect(createContainerBody.parse({ HostConfig: { MaskedPaths: null } }).HostConfig.MaskedPaths ?? null).toBeNull();
  });
});

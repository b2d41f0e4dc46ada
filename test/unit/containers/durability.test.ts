/** Which changes of a container wait for the disk: what a power cut may make galleyd forget, and what never. */
import { expect, it, vi } from 'vitest';
import { ContainerStore } from '../../../daemon/containers/store.ts';
import { Database } from '../../../daemon/state/index.ts';
import type { HostConfig } from '../../../src/api/index.ts';
import { hostConfigOf, recordOf } from './samples.ts';

function setUp(hostConfig: Partial<HostConfig>) {
  const db = new Database(':memory:');
  const store = new ContainerStore(db);
  const entry = store.add(recordOf({ hostConfig: hostConfigOf(hostConfig) }));
  const relaxed = vi.spyOn(db, 'relaxed');
  /** Whether the change was brought to disk before `update` came back. */
  const waits = (change: Parameters<ContainerStore['update']>[1]) => {
    relaxed.mockClear();
    store.update(entry, change);
    return relaxed.mock.calls.length === 0;
  };
  return waits;
}

it('a run is over when the host goes down, so what is known of it need not wait', () => {
  const waits = setUp({ RestartPolicy: { Name: 'no', MaximumRetryCount: 0 } });
  expect(waits({ status: 'running', startedAt: 'x', identity: null })).toBe(false);
  expect(waits({ status: 'exited', exitCode: 3 })).toBe(false);
  expect(waits({ removing: { volumes: false } })).toBe(true);
  expect(waits({ status: 'exited', manuallyStopped: true, restartCount: 0 })).toBe(false);
  expect(waits({ name: 'other' })).toBe(true);
});

it('with a restart policy it decides what starts again', () => {
  const waits = setUp({ RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } });
  expect(waits({ status: 'running' })).toBe(true);
  expect(waits({ manuallyStopped: true })).toBe(true);
});

it('--rm is removed at boot with or without its tombstone', () => {
  const waits = setUp({ AutoRemove: true, RestartPolicy: { Name: '', MaximumRetryCount: 0 } });
  expect(waits({ removing: { volumes: true } })).toBe(false);
});

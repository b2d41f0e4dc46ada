import { messageOf } from '../errors/engine-error.ts';
import type { Core } from './core.ts';

/** Thaws a paused container that was sent a signal. runc thaws by itself for SIGKILL on cgroup v1, and then says that nothing is paused. */
export async function wake(core: Core, id: string): Promise<void> {
  try {
    await core.deps.runtime.resume(id);
  } catch (error) {
    core.deps.log.debug('resume after a signal', { container: id, error: messageOf(error) });
  }
}

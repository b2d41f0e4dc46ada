import { EngineError } from './engine-error.ts';

/** The OCI runtime's own words; the containers domain puts them into Docker's frame (field/engine-api.md section 2.4). */
export const runtimeErrors = {
  createFailed: (words: string) => new EngineError('system', words),
  startFailed: (words: string) => new EngineError('system', words),
  execFailed: (words: string) => new EngineError('system', words),
  unknownUser: (user: string) =>
    new EngineError('invalid', `unable to find user ${user}: no matching entries in passwd file`),
  unknownGroup: (group: string) =>
    new EngineError('invalid', `unable to find group ${group}: no matching entries in group file`),
  badId: () => new EngineError('invalid', 'uids and gids must be in range 0-2147483647'),
  psFailed: (words: string) => new EngineError('invalid', words),
  conmonFailed: (why: string) => new EngineError('system', `conmon failed: ${why}`),
  unknownCapability: (field: string, name: string) =>
    new EngineError('invalid', `invalid ${field}: unknown capability: "${name}"`),
  missingCapability: (field: string, name: string) =>
    new EngineError(
      'invalid',
      `invalid ${field}: capability not supported by your kernel or not available in the current environment: "${name}"`,
    ),
  badDevice: (file: string, why: string) =>
    new EngineError(
      'system',
      `error gathering device information while adding custom device ${JSON.stringify(file)}: ${why}`,
    ),
  badDeviceRule: (rule: string) => new EngineError('invalid', `invalid device cgroup rule format: '${rule}'`),
  badUlimit: (name: string) => new EngineError('invalid', `invalid ulimit type: ${name}`),
  badSecurityOption: (option: string) =>
    new EngineError('invalid', `invalid --security-opt 2: ${JSON.stringify(option)}`),
  badSeccomp: (why: string) => new EngineError('invalid', `opening seccomp profile failed: ${why}`),
  unreachable: (why: string) => new EngineError('system', `conmon does not answer: ${why}`),
  notRunning: (id: string) => new EngineError('conflict', `container ${id} is not running`),
};

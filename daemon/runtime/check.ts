import type { HostConfig } from '../../src/api/index.ts';
import { ALL_CAPABILITIES, chooseCapabilities } from './capabilities.ts';
import { parseDeviceRules } from './devices.ts';
import type { HostFacts } from './host-facts.ts';
import { clampLimits } from './rlimits.ts';
import { readSecurityOptions, seccompOf } from './security.ts';

/**
 * What this host cannot give a container, said when it is created and not when it starts. Gives back warnings for the client.
 * @throws EngineError 400 in Docker's words
 */
export function checkHostConfig(hostConfig: HostConfig, host: HostFacts): string[] {
  const granted = chooseCapabilities(hostConfig, host.boundingCapabilities);
  readSecurityOptions(hostConfig.SecurityOpt ?? []);
  seccompOf(hostConfig, granted, host);
  clampLimits(hostConfig.Ulimits, host);
  parseDeviceRules(hostConfig.DeviceCgroupRules);
  const all = hostConfig.Privileged || (hostConfig.CapAdd ?? []).some((name) => name.toUpperCase() === 'ALL');
  const dropped = (hostConfig.CapDrop ?? []).map((name) => name.toUpperCase().replace(/^(?!CAP_)/, 'CAP_'));
  const missing = ALL_CAPABILITIES.slice(0, host.lastCapability + 1).filter(
    (name) => !host.boundingCapabilities.includes(name) && (hostConfig.Privileged || !dropped.includes(name)),
  );
  return all && missing.length > 0
    ? [`This host cannot give ${missing.join(', ')}: the container runs without ${missing.length > 1 ? 'them' : 'it'}`]
    : [];
}

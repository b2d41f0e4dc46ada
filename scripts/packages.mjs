// Which commands install what a host lacks. assets/host-packages.json has the names, looked up in each distribution's own package sources:
// tini proper is not static on Fedora and Alpine, igzip is in a package of its own on Fedora, RHEL has neither tini nor isa-l without EPEL
// (so a host must do without both), and a fresh cloud host's own updates hold apt's lock for a while (so it waits).
import { readFileSync } from 'node:fs';

const { required, optional, managers } = JSON.parse(
  readFileSync(new URL('../assets/host-packages.json', import.meta.url), 'utf8'),
);

/**
 * The steps that install what is missing; none when every required tool is there. Optional tools are taken along where they are packaged.
 * has: tells whether a tool, or the package manager, is on this host.
 * Gives {steps: [{name, command, optional?, oneByOne?}]}, where oneByOne are the steps to take when the step fails, or {byHand: [package, …]} where no package manager is known.
 */
export function packageSteps(has) {
  const missing = required.filter((tool) => !has(tool));
  if (missing.length === 0) return { steps: [] };
  const extra = Object.keys(optional).filter((tool) => !has(tool));
  const found = Object.keys(managers).find((name) => has(name));
  const { names, refresh, install } = managers[found ?? 'apt-get'];
  if (!found) return { byHand: [...missing, ...extra].map((tool) => names[tool]) };
  const packages = missing.map((tool) => names[tool]);
  const steps = refresh ? [{ name: 'package lists', command: refresh }] : [];
  steps.push({ name: `host packages ${packages.join(', ')}`, command: [...install, ...packages] });
  const one = (tool) => ({
    name: `host package ${names[tool]}`,
    command: [...install, names[tool]],
    optional: `not packaged here: ${optional[tool]}`,
  });
  const further = extra.map((tool) => names[tool]);
  if (extra.length > 0)
    steps.push({
      name: `host packages ${further.join(', ')}`,
      command: [...install, ...further],
      optional: 'not all of them are packaged here, so one by one',
      oneByOne: extra.map(one),
    });
  return { steps };
}

/** The commands that make a group and put a user into it; busybox hosts have other ones. */
export function groupCommands(has, { group, exists, user }) {
  const commands = [];
  if (!exists) commands.push(has('groupadd') ? ['groupadd', '--system', group] : ['addgroup', '-S', group]);
  if (user) commands.push(has('usermod') ? ['usermod', '-aG', group, user] : ['addgroup', user, group]);
  return commands;
}

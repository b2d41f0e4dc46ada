// Which host package brings which tool, and the commands that install them, for each package manager.
// Names looked up in each distribution's own package sources: Fedora's and Alpine's tini proper is not static, igzip is in a package of
// its own on Fedora; RHEL has neither tini nor isa-l without EPEL, so a host must be able to do without both.

const MANAGERS = {
  'apt-get': {
    names: {
      runc: 'runc',
      conmon: 'conmon',
      nft: 'nftables',
      ip: 'iproute2',
      tini: 'tini',
      igzip: 'isal',
      ps: 'procps',
    },
    before: [['apt-get', '-qq', 'update']],
    // A fresh cloud host installs its own updates first: wait for the lock a while.
    install: [
      'env',
      'DEBIAN_FRONTEND=noninteractive',
      'apt-get',
      '-qq',
      '-y',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=30',
      'install',
    ],
  },
  dnf: {
    names: {
      runc: 'runc',
      conmon: 'conmon',
      nft: 'nftables',
      ip: 'iproute',
      tini: 'tini-static',
      igzip: 'isa-l-tools',
      ps: 'procps-ng',
    },
    before: [],
    install: ['dnf', '-q', '-y', 'install'],
  },
  apk: {
    names: {
      runc: 'runc',
      conmon: 'conmon',
      nft: 'nftables',
      ip: 'iproute2',
      tini: 'tini-static',
      igzip: 'isa-l',
      ps: 'procps',
    },
    before: [],
    install: ['apk', 'add', '--quiet', '--update-cache'],
  },
};

/** What galley cannot work without; tini (for --init), igzip (faster pulls) and ps (for top) are taken along where they are packaged. */
const REQUIRED = ['runc', 'conmon', 'nft', 'ip'];
const OPTIONAL = {
  tini: 'not packaged here: --init will not work',
  igzip: 'not packaged here: pulls decompress with Node',
  ps: 'not packaged here: galley top will not work',
};

/**
 * The steps that install what is missing; none when every required tool is there.
 * has: tells whether a tool is on this host. manager: the first of apt-get, dnf, apk that is.
 * Gives {steps: [{name, command, optional?}]} or {byHand: [package, …]} where no package manager is known.
 */
export function packageSteps(has) {
  const missing = REQUIRED.filter((tool) => !has(tool));
  if (missing.length === 0) return { steps: [] };
  const found = Object.keys(MANAGERS).find((name) => has(name));
  const { names, before, install } = MANAGERS[found ?? 'apt-get'];
  if (!found)
    return { byHand: [...missing, ...Object.keys(OPTIONAL).filter((tool) => !has(tool))].map((tool) => names[tool]) };
  const packages = missing.map((tool) => names[tool]);
  const steps = before.map((command) => ({ name: 'package lists', command }));
  steps.push({ name: `host packages ${packages.join(', ')}`, command: [...install, ...packages] });
  for (const [tool, without] of Object.entries(OPTIONAL))
    if (!has(tool))
      steps.push({ name: `host package ${names[tool]}`, command: [...install, names[tool]], optional: without });
  return { steps };
}

/** The commands that make a group and put a user into it; busybox hosts have other ones. */
export function groupCommands(has, { group, exists, user }) {
  const commands = [];
  if (!exists) commands.push(has('groupadd') ? ['groupadd', '--system', group] : ['addgroup', '-S', group]);
  if (user) commands.push(has('usermod') ? ['usermod', '-aG', group, user] : ['addgroup', user, group]);
  return commands;
}

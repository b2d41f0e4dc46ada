/** Completion scripts, generated whole from the command table: pressing Tab starts no Node except to name objects. */
import { GROUPS, pathsOf } from './commands/groups.ts';
import type { CommandSpec } from './types.ts';

type Commands = readonly CommandSpec[];

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
export const isShell = (text: string): text is Shell => (SHELLS as readonly string[]).includes(text);

/** The command that lists what an argument may be. */
const OBJECTS: Readonly<Record<NonNullable<CommandSpec['completes']>, string>> = {
  containers: "galley ps -a --format '{{.Names}}'",
  running: "galley ps --format '{{.Names}}'",
  images: "galley images --format '{{.Repository}}:{{.Tag}}'",
  volumes: 'galley volume ls -q',
  networks: "galley network ls --format '{{.Name}}'",
};

const flagsOf = (command: CommandSpec) =>
  command.flags
    .filter((flag) => !flag.hidden)
    .flatMap((flag) => [`--${flag.name}`, ...(flag.short ? [`-${flag.short}`] : [])]);

const topWords = (commands: Commands) =>
  [
    ...new Set([...commands.flatMap(pathsOf).map((path) => path.split(' ')[0] as string), ...Object.keys(GROUPS)]),
  ].sort();

const subWords = (commands: Commands, group: string) =>
  [
    ...new Set(
      commands
        .flatMap(pathsOf)
        .filter((path) => path.startsWith(`${group} `))
        .map((path) => path.slice(group.length + 1)),
    ),
  ].sort();

function bashCases(commands: Commands): string {
  const cases = commands.map((command) => {
    const patterns = pathsOf(command)
      .map((path) => JSON.stringify(path))
      .join('|');
    const objects = command.completes ? `objects=${JSON.stringify(OBJECTS[command.completes])}` : 'objects=';
    return `    ${patterns}) flags="${flagsOf(command).join(' ')}"; ${objects} ;;`;
  });
  const groups = Object.keys(GROUPS).map((group) => `    ${group}) words="${subWords(commands, group).join(' ')}" ;;`);
  return `  case "$path" in\n${cases.join('\n')}\n  esac\n  case "$path" in\n${groups.join('\n')}\n  esac`;
}

const bash = (commands: Commands) => `# bash completion for galley; made by \`galley completion bash\`
_galley() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path= words= flags= objects= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      -H|--host|-c|--context|--config) ((i++)) ;;
      -*) ;;
      *)
        if [[ -z $path ]]; then path=\${COMP_WORDS[i]}
        elif [[ " ${Object.keys(GROUPS).join(' ')} " == *" $path "* ]]; then path="$path \${COMP_WORDS[i]}"
        fi ;;
    esac
  done
  if [[ -z $path ]]; then
    COMPREPLY=($(compgen -W "${topWords(commands).join(' ')} --host --context --config --debug --version --help --snapshot" -- "$cur"))
    return
  fi
${bashCases(commands)}
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags --help" -- "$cur"))
  else
    [[ -n $objects ]] && words="$words $(eval "$objects" 2>/dev/null)"
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -o default -F _galley galley
`;

/** zsh runs the bash function through its own emulation. */
const zsh = (commands: Commands) => `#compdef galley\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;

const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;

function fish(commands: Commands): string {
  const lines = ['# fish completion for galley; made by `galley completion fish`', 'complete -c galley -f'];
  for (const word of topWords(commands)) {
    const summary = commands.find((command) => command.name === word)?.summary ?? GROUPS[word] ?? '';
    lines.push(`complete -c galley -n __fish_use_subcommand -a ${word} -d ${quote(summary)}`);
  }
  for (const group of Object.keys(GROUPS)) {
    const subs = subWords(commands, group);
    const condition = quote(
      `__fish_seen_subcommand_from ${group}; and not __fish_seen_subcommand_from ${subs.join(' ')}`,
    );
    if (subs.length > 0) lines.push(`complete -c galley -n ${condition} -a ${quote(subs.join(' '))}`);
  }
  for (const command of commands) {
    const condition = quote(
      command.name
        .split(' ')
        .map((word) => `__fish_seen_subcommand_from ${word}`)
        .join('; and '),
    );
    for (const flag of command.flags) {
      if (flag.hidden) continue;
      const needs = flag.type === 'bool' ? '' : ' -r';
      lines.push(
        `complete -c galley -n ${condition} -l ${flag.name}${flag.short ? ` -s ${flag.short}` : ''}${needs} -d ${quote(flag.help)}`,
      );
    }
    if (command.completes)
      lines.push(`complete -c galley -n ${condition} -a ${quote(`(${OBJECTS[command.completes]})`)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The script of a shell. */
export function completionScript(shell: Shell, commands: Commands): string {
  return shell === 'bash' ? bash(commands) : shell === 'zsh' ? zsh(commands) : fish(commands);
}

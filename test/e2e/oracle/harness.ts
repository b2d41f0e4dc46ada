/** Runs lists of docker CLI calls against an engine and makes the answers of two engines comparable. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { dockerPath } from '../../fixtures/docker.ts';
import { tool } from '../../fixtures/exec.ts';

export interface Case {
  title: string;
  /** Shell lines; `docker` is the CLI on the engine, $DIR a folder of the case's own, $REG the registry. */
  lines: string[];
}

export interface Outcome {
  line: string;
  code: number;
  stdout: string;
  stderr: string;
}

/** `# title`, then one shell line each, up to the next title. */
export function parseScript(file: string): Case[] {
  const cases: Case[] = [];
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('# ')) cases.push({ title: line.slice(2), lines: [] });
    else if (line.trim() !== '') cases.at(-1)?.lines.push(line);
  }
  return cases;
}

/** What differs from run to run and from engine to engine without meaning anything. */
export function normalise(text: string, folder: string, registry: string): string {
  return (
    text
      .replaceAll(folder, '<dir>')
      .replaceAll(registry, '<registry>')
      .replace(/\/tmp\/g[de]-\w{6}\//g, '<root>/')
      // Since 23.0 each start error says this first.
      .replaceAll('failed to create task for container: ', '')
      .replace(/\b[0-9a-f]{64}\b/g, '<id>')
      .replace(/\b(?=[0-9]*[a-f])[0-9a-f]{12}\b/g, '<short>')
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, '<time>')
      .replace(/\b(?:Less than a second|About an? (?:minute|hour)|\d+ (?:second|minute|hour)s?)\b/g, '<while>')
      .replace(/\b(?:172|192|10|198)\.\d+\.\d+\.\d+\b/g, '<address>')
      .replace(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>')
      .replace(/to \d+\.00, as there are only \d+ CPUs/, 'to N.00, as there are only N CPUs')
      .replace(/available: [\d,-]+/g, 'available: <set>')
      .replace(/[ \t]+$/gm, '')
  );
}

const TOOLS: Readonly<Record<string, string>> = {
  // JSON with sorted keys, one field a line.
  sortjson: `let t='';process.stdin.on('data',d=>t+=d).on('end',()=>{const s=v=>Array.isArray(v)?v.map(s):v&&typeof v==='object'?Object.fromEntries(Object.keys(v).sort().map(k=>[k,s(v[k])])):v;for(const l of t.trim().split('\\n'))try{console.log(JSON.stringify(s(JSON.parse(l)),null,1))}catch{console.log(l)}})`,
  // The names of the fields of a list's first object.
  keys: `let t='';process.stdin.on('data',d=>t+=d).on('end',()=>{try{console.log(Object.keys(JSON.parse(t)[0]).sort().join('\\n'))}catch(e){console.log(t)}})`,
};

/** dockerd 20.10 begins many messages with a capital letter that newer ones write small: that is no difference. */
export function differs(one: Outcome, other: Outcome): boolean {
  return (
    one.code !== other.code || one.stdout !== other.stdout || one.stderr.toLowerCase() !== other.stderr.toLowerCase()
  );
}

export interface Target {
  run(one: Case): Promise<Outcome[]>;
  close(): void;
}

/** @param host what DOCKER_HOST gets; @param registry `host:port` of the images */
export async function openTarget(host: string, registry: string): Promise<Target> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'galley-oracle-'));
  const bin = path.join(home, 'bin');
  fs.mkdirSync(bin);
  fs.symlinkSync(await dockerPath(), path.join(bin, 'docker'));
  for (const [name, code] of Object.entries(TOOLS)) {
    fs.writeFileSync(path.join(bin, `${name}.cjs`), code);
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\nexec '${process.execPath}' ${bin}/${name}.cjs\n`, {
      mode: 0o755,
    });
  }
  const base: NodeJS.ProcessEnv = {
    PATH: `${bin}:${process.env['PATH']}`,
    HOME: home,
    LC_ALL: 'C',
    TERM: 'xterm',
    DOCKER_HOST: host,
    DOCKER_CONFIG: path.join(home, 'config'),
    DOCKER_CLI_HINTS: 'false',
    // dockerd 20.10 speaks no more than this: the CLI must take the same way with both.
    DOCKER_API_VERSION: '1.41',
    REG: registry,
  };
  const shell = (line: string, folder: string) =>
    tool('timeout', ['-s', 'KILL', '40', 'bash', '-c', line], { env: { ...base, DIR: folder }, cwd: folder });
  return {
    async run({ lines }) {
      const folder = fs.mkdtempSync(path.join(home, 'case-'));
      const outcomes: Outcome[] = [];
      for (const line of lines) {
        const { code, stdout, stderr } = await shell(line, folder);
        outcomes.push({
          line,
          code,
          stdout: normalise(stdout, folder, registry),
          stderr: normalise(stderr, folder, registry),
        });
      }
      // The next case starts from nothing.
      await shell(
        'docker rm -f -v $(docker ps -aq) 2>/dev/null; docker volume rm $(docker volume ls -q) 2>/dev/null',
        folder,
      );
      fs.rmSync(folder, { recursive: true, force: true });
      return outcomes;
    },
    close: () => fs.rmSync(home, { recursive: true, force: true }),
  };
}

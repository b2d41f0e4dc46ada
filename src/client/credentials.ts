/** Registry credentials of the docker config: auths, credsStore, credHelpers (field/engine-api.md section 3.1). */
import { spawn } from 'node:child_process';
import type { RegistryAuth } from '../api/index.ts';
import { parseReference } from '../api/references.ts';
import { type ResolveOptions, readConfig } from './endpoint.ts';

const INDEX_SERVER = 'https://index.docker.io/v1/';

type Config = Readonly<Record<string, unknown>>;
const record = (value: unknown): Config => (typeof value === 'object' && value !== null ? (value as Config) : {});
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The key under which a registry's credentials are kept: Docker Hub's has a name of its own. */
export function authKeyOf(reference: string): string {
  const { domain } = parseReference(reference);
  return domain === 'docker.io' ? INDEX_SERVER : domain;
}

/** `https://host/v1/` and `host` are the same registry in an old config file. */
const bare = (key: string) => key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');

function fromFile(config: Config, key: string): RegistryAuth | undefined {
  const auths = record(config['auths']);
  const entryKey = key in auths ? key : Object.keys(auths).find((one) => bare(one) === bare(key));
  if (entryKey === undefined) return undefined;
  const entry = record(auths[entryKey]);
  const token = text(entry['identitytoken']);
  const pair = text(entry['auth']) ? Buffer.from(String(entry['auth']), 'base64').toString('utf8') : '';
  const colon = pair.indexOf(':');
  const username = text(entry['username']) ?? (colon > 0 ? pair.slice(0, colon) : undefined);
  const password = text(entry['password']) ?? (colon > 0 ? pair.slice(colon + 1).replace(/\0+$/, '') : undefined);
  if (token) return { serveraddress: key, ...(username ? { username } : {}), identitytoken: token };
  return username !== undefined && password !== undefined ? { username, password, serveraddress: key } : undefined;
}

function fromHelper(name: string, key: string): Promise<RegistryAuth | undefined> {
  return new Promise((resolve, reject) => {
    const program = `docker-credential-${name}`;
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    child.stdin.on('error', () => undefined);
    child.once('error', (error) =>
      reject(new Error(`could not ask the credential helper ${program} for ${key}: ${error.message}`)),
    );
    child.once('close', (code) => {
      if (code !== 0) {
        const words = (out + err).trim();
        if (/credentials not found/i.test(words)) return resolve(undefined);
        return reject(new Error(`the credential helper ${program} failed for ${key}: ${words || `exit code ${code}`}`));
      }
      try {
        const answer = record(JSON.parse(out));
        const username = text(answer['Username']) ?? '';
        const secret = text(answer['Secret']) ?? '';
        resolve(
          username === '<token>'
            ? { identitytoken: secret, serveraddress: key }
            : { username, password: secret, serveraddress: key },
        );
      } catch (error) {
        reject(new Error(`the credential helper ${program} answered no JSON for ${key}`, { cause: error }));
      }
    });
    child.stdin.end(key);
  });
}

/**
 * What the docker config knows for the registry of `reference`; undefined when it knows nothing.
 * @throws Error when a configured helper is missing or fails; EndpointError for a malformed config.json.
 */
export async function credentialsFor(
  reference: string,
  options: Pick<ResolveOptions, 'configDir' | 'env'>,
): Promise<RegistryAuth | undefined> {
  const config = readConfig(options);
  const key = authKeyOf(reference);
  const helpers = record(config['credHelpers']);
  const helper = text(helpers[key]) ?? text(helpers[bare(key)]) ?? text(config['credsStore']);
  if (helper) {
    const found = await fromHelper(helper, key);
    if (found) return found;
  }
  return fromFile(config, key);
}

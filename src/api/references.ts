/**
 * Image references as people write them and in full (distribution/reference's grammar, with Docker's words for what is wrong).
 * Pure; shared by the client and galleyd.
 */

export interface ImageReference {
  /** `docker.io` when none was written. */
  domain: string;
  /** Path under the domain: `library/busybox`. */
  path: string;
  /** domain/path: `docker.io/library/busybox`. */
  name: string;
  tag?: string;
  /** sha256:… */
  digest?: string;
}

/** A reference that cannot be used; the message is Docker's. */
export class InvalidReferenceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidReferenceError';
  }
}

const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL = 'library/';
const MAX_NAME = 255;

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

function invalid(): InvalidReferenceError {
  return new InvalidReferenceError('invalid reference format');
}

/** The registry and the rest, by Docker's rule: the first part is a host when it has a dot or a colon, is localhost, or is not lower case. */
function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf('/');
  if (slash < 0) return { domain: DEFAULT_DOMAIN, rest: OFFICIAL + text };
  const first = text.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  const domain = !isHost || first === LEGACY_DOMAIN ? DEFAULT_DOMAIN : first;
  const rest = isHost ? text.slice(slash + 1) : text;
  return { domain, rest: domain === DEFAULT_DOMAIN && !rest.includes('/') ? OFFICIAL + rest : rest };
}

function checkDigest(digest: string): void {
  if (!DIGEST.test(digest)) throw invalid();
  const [algorithm = '', hex = ''] = digest.split(':');
  const length = HEX_LENGTH[algorithm];
  if (length === undefined) throw new InvalidReferenceError('unsupported digest algorithm');
  if (hex.length !== length) throw new InvalidReferenceError('invalid checksum digest length');
  if (hex !== hex.toLowerCase()) throw new InvalidReferenceError('invalid checksum digest format');
}

/**
 * Parses `[domain[:port]/]path[:tag][@digest]`: `busybox` becomes docker.io/library/busybox (without a tag: see tagNameOnly).
 * @throws InvalidReferenceError with Docker's text, e.g. `invalid reference format: repository name (library/Foo) must be lowercase`.
 */
export function parseReference(text: string): ImageReference {
  if (/^[0-9a-f]{64}$/.test(text))
    throw new InvalidReferenceError(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf('@');
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  if (path !== path.toLowerCase())
    throw new InvalidReferenceError(`invalid reference format: repository name (${path}) must be lowercase`);
  if (!DOMAIN.test(domain) || !PATH.test(path) || (tag !== undefined && !TAG.test(tag))) throw invalid();
  if (digest !== undefined) checkDigest(digest);
  const name = `${domain}/${path}`;
  if (name.length > MAX_NAME)
    throw new InvalidReferenceError(`repository name must not be more than ${MAX_NAME} characters`);
  return { domain, path, name, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The same with `latest` where neither tag nor digest was written. */
export function tagNameOnly(reference: ImageReference): ImageReference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference;
}

/** The short name people write: no `docker.io/`, no `library/`. */
export function familiarName(reference: Pick<ImageReference, 'domain' | 'path'>): string {
  if (reference.domain !== DEFAULT_DOMAIN) return `${reference.domain}/${reference.path}`;
  const short = reference.path.startsWith(OFFICIAL) ? reference.path.slice(OFFICIAL.length) : reference.path;
  // `library/a/b` must keep its prefix, or it would read as another repository.
  return short.includes('/') && short !== reference.path ? reference.path : short;
}

const suffix = (reference: ImageReference): string =>
  `${reference.tag === undefined ? '' : `:${reference.tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`;

/** `busybox:latest`, `host/a/b@sha256:…`. */
export function familiarString(reference: ImageReference): string {
  return familiarName(reference) + suffix(reference);
}

/** `docker.io/library/busybox:latest`. */
export function fullString(reference: ImageReference): string {
  return reference.name + suffix(reference);
}

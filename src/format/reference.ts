/** Image references as people write them, and in full (distribution's grammar, the part clients need). */

export interface Reference {
  /** `docker.io` when none was written. */
  domain: string;
  /** Path under the domain: `library/busybox`. */
  path: string;
  /** domain/path. */
  name: string;
  tag?: string;
  digest?: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

/** Parses `[domain[:port]/]path[:tag][@digest]`. @throws Error `invalid reference format…` as Docker says it. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at >= 0 ? text.slice(at + 1) : undefined;
  let rest = at >= 0 ? text.slice(0, at) : text;
  const slash = rest.lastIndexOf('/');
  const colon = rest.indexOf(':', slash + 1);
  const tag = colon >= 0 ? rest.slice(colon + 1) : undefined;
  if (colon >= 0) rest = rest.slice(0, colon);
  const first = rest.indexOf('/');
  const head = first >= 0 ? rest.slice(0, first) : '';
  const hasDomain = first >= 0 && (/[.:]/.test(head) || head === 'localhost' || head !== head.toLowerCase());
  let domain = hasDomain ? head : 'docker.io';
  let path = hasDomain ? rest.slice(first + 1) : rest;
  if (domain === 'index.docker.io') domain = 'docker.io';
  if (domain === 'docker.io' && path !== '' && !path.includes('/')) path = `library/${path}`;
  if (path !== path.toLowerCase()) {
    throw new Error(`invalid reference format: repository name (${path}) must be lowercase`);
  }
  if (!PATH.test(path) || (tag !== undefined && !TAG.test(tag)) || (digest !== undefined && !DIGEST.test(digest))) {
    throw new Error(`invalid reference format`);
  }
  return {
    domain,
    path,
    name: `${domain}/${path}`,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The short form people write: no `docker.io/`, no `library/`. */
export function familiarName(reference: Pick<Reference, 'domain' | 'path'>): string {
  if (reference.domain !== 'docker.io') return `${reference.domain}/${reference.path}`;
  return reference.path.replace(/^library\//, '');
}

/** `docker.io/library/busybox:latest` for what people type as `busybox`. */
export function fullReference(text: string): string {
  const reference = parseReference(text);
  if (reference.digest) return `${reference.name}${reference.tag ? `:${reference.tag}` : ''}@${reference.digest}`;
  return `${reference.name}:${reference.tag ?? 'latest'}`;
}

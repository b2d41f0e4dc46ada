/** How Docker names an image in messages: without docker.io/library/, with :latest where no tag was given; an ID stays as it is. */
export function familiarReference(reference: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(reference)) return reference;
  const familiar = reference.replace(/^(index\.)?docker\.io\//, '').replace(/^library\/([^/]+)$/, '$1');
  const last = familiar.slice(familiar.lastIndexOf('/') + 1);
  return last.includes(':') || last.includes('@') ? familiar : `${familiar}:latest`;
}

import { humanDuration } from '../../api/durations.ts';
import type { ImageSummary } from '../../api/images.ts';
import { goTime, humanSize } from '../../format/units.ts';
import { filtersOf, listText, type Row } from '../lists.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const HEADERS = {
  ID: 'IMAGE ID',
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};
const RAW: [string, string][] = [
  ['repository', 'Repository'],
  ['tag', 'Tag'],
  ['image_id', 'ID'],
  ['created_at', 'CreatedAt'],
  ['virtual_size', 'Size'],
];
const NONE = '<none>';

interface Name {
  repository: string;
  tag: string;
  digest: string;
}

/** Splits at the colon behind the last slash. */
function splitTag(name: string): [string, string] {
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon < 0 ? [name, NONE] : [name.slice(0, colon), name.slice(colon + 1)];
}

/** The names an image is listed under: a line per tag, and with digests a line per tag and digest of its repository. */
function namesOf(image: ImageSummary, digests: boolean): Name[] {
  const tags = (image.RepoTags ?? []).filter((name) => name !== '<none>:<none>').map(splitTag);
  const byRepository = new Map<string, string[]>();
  for (const one of image.RepoDigests ?? []) {
    const [repository, digest] = one.split('@') as [string, string];
    if (repository !== NONE) byRepository.set(repository, [...(byRepository.get(repository) ?? []), digest]);
  }
  const names: Name[] = [];
  for (const [repository, tag] of tags) {
    const known = digests ? (byRepository.get(repository) ?? []) : [];
    for (const digest of known.length > 0 ? known : [NONE]) names.push({ repository, tag, digest });
    byRepository.delete(repository);
  }
  for (const [repository, known] of byRepository) {
    if (tags.length > 0 && !digests) continue;
    for (const digest of digests ? known : known.slice(0, 1)) names.push({ repository, tag: NONE, digest });
  }
  return names.length > 0 ? names : [{ repository: NONE, tag: NONE, digest: NONE }];
}

function imageRow(image: ImageSummary, name: Name, trunc: boolean, now: number): Row {
  const shared = image.SharedSize ?? -1;
  return {
    ID: trunc ? image.Id.replace(/^sha256:/, '').slice(0, 12) : image.Id,
    Repository: name.repository,
    Tag: name.tag,
    Digest: name.digest,
    CreatedSince: image.Created > 0 ? `${humanDuration(now - image.Created * 1000)} ago` : 'N/A',
    CreatedAt: goTime(image.Created),
    Size: humanSize(image.Size, 3),
    Containers: image.Containers === -1 || image.Containers === undefined ? 'N/A' : String(image.Containers),
    VirtualSize: humanSize(image.Size),
    SharedSize: shared === -1 ? 'N/A' : humanSize(shared),
    UniqueSize: shared === -1 ? 'N/A' : humanSize(image.Size - shared),
  };
}

/** `galley images`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const filters = filtersOf(args.list('filter'));
  const pattern = args.positionals[0];
  if (pattern) (filters['reference'] ??= []).push(pattern);
  const client = await context.client();
  const images = await client.listImages({ all: args.bool('all'), filters });
  const digests = args.bool('digests') || /\.Digest\b/.test(args.string('format'));
  const trunc = !args.bool('no-trunc');
  const now = Date.now();
  const rows = images.flatMap((image) => namesOf(image, digests).map((name) => imageRow(image, name, trunc, now)));
  const columns = ['Repository', 'Tag', ...(args.bool('digests') ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
  const listing = { headers: HEADERS, columns, rows, format: args.string('format'), type: '*formatter.imageContext' };
  context.out(listText({ ...listing, raw: RAW }, args.bool('quiet'), 'ID'));
  return 0;
}

import { EngineError } from './engine-error.ts';

/** Errors of images and registries: Docker's words and statuses (field/engine-api.md section 3). */
export const imageErrors = {
  invalidReference: (why: string) => new EngineError('invalid', why),
  noSuchImage: (reference: string) => new EngineError('notFound', `No such image: ${reference}`),
  ambiguous: (prefix: string) => new EngineError('invalid', `multiple IDs found with provided prefix: ${prefix}`),
  badPlatform: (platform: string) =>
    new EngineError(
      'invalid',
      `"${platform}" is an invalid platform: use os[/architecture[/variant]], e.g. linux/arm64`,
    ),
  accessDenied: (name: string, why: string) =>
    new EngineError(
      'notFound',
      `pull access denied for ${name}, repository does not exist or may require 'docker login': ${why}`,
    ),
  pushDenied: (why: string) => new EngineError('forbidden', why),
  noLocalTags: (name: string) => new EngineError('notFound', `An image does not exist locally with the tag: ${name}`),
  noLocalTag: (reference: string) => new EngineError('notFound', `tag does not exist: ${reference}`),
  pushDigest: () => new EngineError('invalid', 'cannot push a digest reference'),
  uploadFailed: (digest: string, why: string) =>
    new EngineError('system', `the upload of blob ${digest} failed: ${why}`),
  layerGone: (diffId: string) =>
    new EngineError('system', `the content of layer ${diffId} is no longer here: pull or load its image again`),
  notAnArchive: (why: string) =>
    new EngineError('invalid', `this is no image archive: ${why}. Give a tar made by "save" or an OCI image layout`),
  badArchive: (why: string) => new EngineError('invalid', `invalid archive: ${why}`),
  noDecompressor: (program: string, format: string) =>
    new EngineError(
      'invalid',
      `the archive is packed with ${format}, and ${program} is not installed here: install it, or unpack the archive first`,
    ),
  notAChange: (name: string) => new EngineError('invalid', `${name} is not a valid change command`),
  badChange: (line: string, why: string) => new EngineError('invalid', `invalid change "${line}": ${why}`),
  importSource: (source: string) =>
    new EngineError('invalid', `invalid import source "${source}": use - (the request's body) or an http(s) URL`),
  searchLimit: (limit: number) => new EngineError('invalid', `Limit ${limit} is outside the range of [1, 100]`),
  badFilterValue: (name: string, value: string) => new EngineError('invalid', `invalid filter '${name}=${value}'`),
  searchFailed: (host: string, status: number) =>
    new EngineError('system', `search on ${host} answered with status code ${status}: it offers no search`),
  manifestUnknown: (reference: string, why: string) =>
    new EngineError('notFound', `manifest for ${reference} not found: ${why}`),
  repositoryUnknown: (name: string, why: string) => new EngineError('notFound', `repository ${name} not found: ${why}`),
  noBasicCredentials: (method: string, url: string) =>
    new EngineError('system', `${method === 'HEAD' ? 'Head' : 'Get'} "${url}": no basic auth credentials`),
  requestFailed: (method: string, url: string, why: string, cause?: unknown) =>
    new EngineError('system', `${method[0]}${method.slice(1).toLowerCase()} "${url}": ${why}`, { cause }),
  badAnswer: (url: string, status: number, why: string) =>
    new EngineError('system', `received unexpected HTTP status from ${url}: ${status}${why ? `: ${why}` : ''}`),
  tooManyRequests: (why: string) => new EngineError('system', `toomanyrequests: ${why}`),
  noMatchingPlatform: (wanted: string, offered: string) =>
    new EngineError(
      'notFound',
      `no matching manifest for ${wanted} in the manifest list entries${offered ? `: it has ${offered}` : ''}`,
    ),
  wrongPlatform: (reference: string, wanted: string, got: string) =>
    new EngineError(
      'notFound',
      `image with reference ${reference} was found but its platform (${got}) does not match the specified platform (${wanted})`,
    ),
  schema1: (reference: string) =>
    new EngineError(
      'invalid',
      `${reference} is a Docker Image manifest version 2, schema 1 image, which is no longer supported: build and push it anew`,
    ),
  notAnImage: (reference: string, kind: string) =>
    new EngineError('invalid', `${reference} is not a container image: its config or layers are of type ${kind}`),
  badManifest: (reference: string, why: string) =>
    new EngineError('system', `the manifest of ${reference} cannot be used: ${why}`),
  badConfig: (digest: string, why: string) =>
    new EngineError('system', `the image config ${digest} cannot be used: ${why}`),
  manifestDigest: (expected: string, got: string) =>
    new EngineError('system', `manifest verification failed for digest ${expected}: the registry sent ${got}`),
  blobDigest: (expected: string, got: string) =>
    new EngineError('system', `filesystem layer verification failed for digest ${expected}: the registry sent ${got}`),
  blobSize: (digest: string, expected: number, got: number) =>
    new EngineError('system', `blob ${digest} has ${got} bytes, its manifest says ${expected}`),
  truncated: (digest: string, got: number, expected: number) =>
    new EngineError(
      'system',
      `unexpected EOF: the registry ended blob ${digest} after ${got} of ${expected} bytes; what arrived is kept, pull again to go on from there`,
    ),
  noSpace: (dataRoot: string) =>
    new EngineError(
      'system',
      `no space left on device: free some space on the file system of ${dataRoot} or use another --data-root`,
    ),
  tagDigest: () => new EngineError('invalid', 'refusing to create a tag with a digest reference'),
  tagAlgorithm: () => new EngineError('invalid', 'refusing to create an ambiguous tag using digest algorithm as name'),
  referenceInUse: (reference: string, container: string, image: string) =>
    new EngineError(
      'conflict',
      `conflict: unable to remove repository reference "${reference}" (must force) - container ${container} is using its referenced image ${image}`,
    ),
  deleteConflict: (image: string, hard: boolean, why: string) =>
    new EngineError(
      'conflict',
      `conflict: unable to delete ${image} (${hard ? 'cannot be forced' : 'must be forced'}) - ${why}`,
    ),
  badUntil: (value: string) =>
    new EngineError(
      'invalid',
      `invalid filter 'until=${value}': use a time (RFC 3339 or Unix seconds) or a duration such as 24h`,
    ),
  badDangling: (value: string) => new EngineError('invalid', `invalid filter 'dangling=${value}'`),
};

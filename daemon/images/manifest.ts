/** Manifests, indexes and image configs as registries hold them (image-spec; Docker's manifest v2 schema 2), and the choice of a platform. */
import { z } from 'zod';
import { messageOf } from '../errors/engine-error.ts';
import { imageErrors } from '../errors/images.ts';
import type { BlobSource } from '../layers/types.ts';

export const MEDIA = {
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
} as const;
export const ACCEPT = [MEDIA.ociIndex, MEDIA.dockerList, MEDIA.ociManifest, MEDIA.dockerManifest, '*/*'];

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'galley takes sha256 digests only');
const platformSchema = z.object({
  os: z.string().default(''),
  architecture: z.string().default(''),
  variant: z.string().optional(),
});
export const descriptorSchema = z.object({
  mediaType: z.string().default(''),
  digest: digestSchema,
  size: z.int().min(0),
  urls: z.array(z.string()).optional(),
  platform: platformSchema.optional(),
});
export type Descriptor = z.infer<typeof descriptorSchema>;
export type Platform = z.infer<typeof platformSchema>;

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
});
const indexSchema = z.object({ schemaVersion: z.literal(2), manifests: z.array(descriptorSchema) });
export type Manifest = z.infer<typeof manifestSchema>;

/** A manifest's bytes with what the registry said they are. */
export interface RawManifest {
  bytes: Buffer;
  /** sha256:… of the bytes. */
  digest: string;
  mediaType: string;
}

export type ParsedManifest = { kind: 'index'; manifests: Descriptor[] } | ({ kind: 'image' } & Manifest);

function isImageConfig(mediaType: string): boolean {
  return (
    mediaType === '' ||
    mediaType === 'application/octet-stream' || // very old pushes
    /^application\/vnd\.(docker\.container\.image|oci\.image\.config)\.v1\+json$/.test(mediaType)
  );
}

/** How a layer's bytes are packed; undefined: it is no layer. */
export function compressionOf(mediaType: string): BlobSource['compression'] | undefined {
  if (/(docker\.image\.rootfs\.(foreign\.)?diff\.tar\.gzip|layer\.(nondistributable\.)?v1\.tar\+gzip)$/.test(mediaType))
    return 'gzip';
  if (/(layer\.(nondistributable\.)?v1\.tar\+zstd|docker\.image\.rootfs\.diff\.tar\.zstd)$/.test(mediaType))
    return 'zstd';
  if (/(layer\.(nondistributable\.)?v1\.tar|docker\.image\.rootfs\.diff\.tar)$/.test(mediaType)) return 'none';
  return undefined;
}

/** What a manifest says it is, else what its sender said, else what it looks like. '' when it is no JSON. */
export function manifestMediaType(bytes: Buffer, given: string): string {
  try {
    const about = z
      .object({ mediaType: z.string().optional(), manifests: z.unknown().optional() })
      .parse(JSON.parse(bytes.toString('utf8')));
    return about.mediaType ?? (given || (about.manifests === undefined ? MEDIA.ociManifest : MEDIA.ociIndex));
  } catch {
    return given;
  }
}

/** @throws EngineError naming `reference` and what is wrong. */
export function parseManifest(raw: RawManifest, reference: string): ParsedManifest {
  let value: unknown;
  try {
    value = JSON.parse(raw.bytes.toString('utf8'));
  } catch (error) {
    throw imageErrors.badManifest(reference, messageOf(error));
  }
  const about = z
    .object({ schemaVersion: z.number(), mediaType: z.string().optional(), manifests: z.unknown().optional() })
    .safeParse(value);
  if (!about.success) throw imageErrors.badManifest(reference, 'it has no schemaVersion');
  if (about.data.schemaVersion === 1) throw imageErrors.schema1(reference);
  const type = about.data.mediaType ?? raw.mediaType;
  const isIndex = type === MEDIA.dockerList || type === MEDIA.ociIndex || about.data.manifests !== undefined;
  const result = isIndex ? indexSchema.safeParse(value) : manifestSchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw imageErrors.badManifest(reference, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  if ('manifests' in result.data) return { kind: 'index', manifests: result.data.manifests };
  const { config, layers } = result.data;
  if (!isImageConfig(config.mediaType)) throw imageErrors.notAnImage(reference, config.mediaType);
  const odd = layers.find((layer) => compressionOf(layer.mediaType) === undefined);
  if (odd) throw imageErrors.notAnImage(reference, odd.mediaType);
  return { kind: 'image', ...result.data };
}

const GO_ARCH: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
const ARCH_ALIASES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  i386: '386',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
};

export function hostPlatform(): Platform {
  return { os: 'linux', architecture: GO_ARCH[process.arch] ?? process.arch };
}

/** `linux/arm64/v8`, `arm64` or `linux`. @throws EngineError naming the text. */
export function parsePlatform(text: string): Platform {
  const parts = text.split('/').map((part) => part.toLowerCase());
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) throw imageErrors.badPlatform(text);
  const host = hostPlatform();
  const [first = '', second, variant] = parts;
  if (second === undefined)
    return first === 'linux' || first === 'windows' || first === 'darwin'
      ? { ...host, os: first }
      : { os: 'linux', architecture: ARCH_ALIASES[first] ?? first };
  return { os: first, architecture: ARCH_ALIASES[second] ?? second, ...(variant === undefined ? {} : { variant }) };
}

export function platformText(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/');
}

const number = (variant: string | undefined, fallback: number): number => {
  const match = /^v?(\d+)/.exec(variant ?? '');
  return match ? Number(match[1]) : fallback;
};
const DEFAULT_VARIANT: Readonly<Record<string, number>> = { arm: 7, arm64: 8, amd64: 1 };

/** How well an offer fits: higher is better, -1 not at all. A lower variant runs on a higher one (arm v7 runs v6 and v5). */
export function platformScore(wanted: Platform, offered: Platform): number {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return -1;
  const standard = DEFAULT_VARIANT[wanted.architecture] ?? 0;
  const most = number(wanted.variant, standard);
  const has = number(offered.variant, wanted.architecture === 'arm' ? 7 : standard);
  return has > most ? -1 : has;
}

/** The best manifest for a platform. Attestations (unknown/unknown) are never chosen. @throws EngineError */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor {
  let best: Descriptor | undefined;
  let bestScore = -1;
  for (const entry of manifests) {
    const score = platformScore(wanted, entry.platform ?? { os: 'linux', architecture: hostPlatform().architecture });
    if (score > bestScore) {
      best = entry;
      bestScore = score;
    }
  }
  if (best) return best;
  const offered = manifests.map((entry) => entry.platform).filter((p) => p !== undefined && p.os !== 'unknown');
  throw imageErrors.noMatchingPlatform(
    platformText(wanted),
    offered.map((p) => platformText(p as Platform)).join(', '),
  );
}

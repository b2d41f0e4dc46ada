import { EngineError } from './engine-error.ts';

export const layerErrors = {
  badTar: (why: string) => new EngineError('system', `failed to register layer: ${why}`),
  escapes: (name: string) =>
    new EngineError('invalid', `failed to register layer: entry ${JSON.stringify(name)} leaves the layer`),
  wrongDiffId: (expected: string, got: string) =>
    new EngineError(
      'system',
      `failed to register layer: the unpacked layer is ${got}, the image config says ${expected}`,
    ),
  noSpace: (dataRoot: string) =>
    new EngineError(
      'system',
      `failed to register layer: no space left on device: free some space on the file system of ${dataRoot} or use another --data-root`,
    ),
  noErofs: (dataRoot: string, why: string) =>
    new EngineError(
      'system',
      `--layer-driver erofs cannot be used with the data root ${dataRoot}: ${why}. Leave the flag out, or say --layer-driver dirs`,
    ),
  inUse: (chainId: string) => new EngineError('conflict', `layer ${chainId} is in use by a container`),
  unknownLayer: (chainId: string) => new EngineError('notFound', `layer ${chainId} is not here`),
};

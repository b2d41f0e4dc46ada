// Bundles the two programs into dist/: galley.mjs (chunks loaded only when needed), tui.mjs, galleyd.mjs, its threads unpack-worker.mjs and netns-worker.mjs,
// and build.json, whose hash tells a running galleyd's build from this one.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(file);
    else if (entry.isFile()) yield file;
  }
}

function sources() {
  const folders = ['src', 'daemon', 'assets']
    .map((name) => path.join(root, name))
    .filter((folder) => existsSync(folder));
  const single = ['package.json', 'package-lock.json', 'scripts/build.mjs'].map((name) => path.join(root, name));
  return [...folders.flatMap((folder) => [...filesUnder(folder)]), ...single].filter((file) => existsSync(file)).sort();
}

/** Name, size and modification time of every source in one string: cheap enough for each start. */
function stamp(files) {
  const lines = files.map((file) => {
    const { size, mtimeMs } = statSync(file);
    return `${path.relative(root, file)} ${size} ${mtimeMs}`;
  });
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function contentHash(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** True when dist/ was made from the sources as they are. An installed package has only dist/, which is current by definition. */
export function isCurrent() {
  if (!existsSync(path.join(root, 'src'))) return true;
  try {
    const build = JSON.parse(readFileSync(path.join(dist, 'build.json'), 'utf8'));
    return build.stamp === stamp(sources());
  } catch {
    return false;
  }
}

export function buildHash() {
  return JSON.parse(readFileSync(path.join(dist, 'build.json'), 'utf8')).hash;
}

/** Builds into a folder beside dist/ and swaps, so that a galley started meanwhile never sees half a build. */
export async function build() {
  const { build: bundle } = await import('esbuild');
  const files = sources();
  const before = { hash: contentHash(files), stamp: stamp(files) };
  const next = path.join(root, '.cache', `build-${process.pid}`);
  const old = `${next}-old`;
  const common = {
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    outdir: next,
    outExtension: { '.js': '.mjs' },
    legalComments: 'none',
    logLevel: 'warning',
    // A default that the source sets for runs without a bundle; here the constant wins.
    logOverride: { 'assign-to-define': 'silent' },
    external: ['koffi', '@xterm/headless'],
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    // The few CommonJS packages inside the bundle call require().
    banner: {
      js: "import{createRequire as galleyRequire}from'node:module';const require=galleyRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'no-devtools',
        setup(plugin) {
          // Ink imports it only when DEV=true; it would bring a web socket server.
          plugin.onResolve({ filter: /^react-devtools-core$/ }, () => ({ path: 'devtools', namespace: 'empty' }));
          plugin.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export default {};', loader: 'js' }));
        },
      },
    ],
  };
  const at = (name) => path.join(root, name);
  const client = { galley: at('src/main.ts') };
  if (existsSync(at('src/tui/main.tsx'))) client.tui = at('src/tui/main.tsx');
  const engine = { galleyd: at('daemon/main.ts') };
  for (const worker of ['layers/unpack-worker', 'system/netns-worker'])
    if (existsSync(at(`daemon/${worker}.ts`))) engine[path.basename(worker)] = at(`daemon/${worker}.ts`);
  mkdirSync(next, { recursive: true });
  try {
    // Both are waited for: one that fails must not leave the other writing into a folder that is gone.
    const bundles = await Promise.allSettled([
      bundle({
        ...common,
        entryPoints: client,
        splitting: true,
        chunkNames: 'chunks/[name]-[hash]',
        minify: true,
        keepNames: true,
      }),
      bundle({ ...common, entryPoints: engine }),
    ]);
    for (const result of bundles) if (result.status === 'rejected') throw result.reason;
    writeFileSync(path.join(next, 'build.json'), `${JSON.stringify(before)}\n`);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(next, dist);
  } finally {
    for (const folder of [next, old]) rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes('--if-needed') || !isCurrent()) {
    await build().catch((error) => {
      // esbuild has already said where and what.
      if (!error.errors) console.error(error);
      process.exitCode = 1;
    });
  }
}

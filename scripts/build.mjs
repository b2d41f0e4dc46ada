// Bundles the two programs into dist/: galley.cjs (with main.cjs and libraries loaded only when needed), tui.mjs, galleyd.mjs, its threads unpack-worker.mjs and netns-worker.mjs,
// and build.json, whose hash tells a running galleyd's build from this one.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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

/** Libraries that most commands never load: beside the program, in files of their own. */
const LAZY = { undici: `export { Client, Pool } from 'undici'`, yargs: `import yargs from 'yargs'; export = yargs` };

/**
 * The command line in one CommonJS file: Node loads that faster than modules, and one file faster than many (galley ps is held
 * against `node -e 0`). galley.cjs only turns V8's code cache on, which counts for what is loaded after it.
 */
function commandLine(bundle, outdir) {
  const shared = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    minify: true,
    legalComments: 'none',
    // yargs looks for its folder by it.
    define: { 'import.meta.url': 'galleyUrl' },
    banner: { js: "const galleyUrl=require('node:url').pathToFileURL(__filename).href;" },
  };
  const lazily = {
    name: 'lazy-libraries',
    setup(plugin) {
      const filter = new RegExp(`^(${Object.keys(LAZY).join('|')})$`);
      plugin.onResolve({ filter }, ({ path: name }) => ({ path: `./${name}.cjs`, external: true }));
    },
  };
  const main = bundle({
    ...shared,
    entryPoints: { main: path.join(root, 'src/main.ts') },
    banner: {},
    outdir,
    outExtension: { '.js': '.cjs' },
    // The dashboard's bundle is a module.
    supported: { 'dynamic-import': true },
    keepNames: true,
    logLevel: 'warning',
    plugins: [lazily],
  });
  const libraries = Object.entries(LAZY).map(([name, contents]) =>
    bundle({
      ...shared,
      stdin: { contents, resolveDir: root, loader: 'ts' },
      outfile: path.join(outdir, `${name}.cjs`),
    }),
  );
  const starter = [
    `const { enableCompileCache } = require('node:module');`,
    // Node 22 takes no options here; it then goes without the cache.
    `try { enableCompileCache({ directory: require('node:path').join(__dirname, 'cache'), portable: true }); } catch {}`,
    `require('./main.cjs');`,
  ];
  writeFileSync(path.join(outdir, 'galley.cjs'), `${starter.join('\n')}\n`);
  return [main, ...libraries];
}

/** One container as an engine lists it: what `ps` does with it is the code that the cache shall hold. */
const SAMPLE = {
  Id: 'a'.repeat(64),
  Names: ['/web'],
  Image: 'nginx:latest',
  ImageID: `sha256:${'b'.repeat(64)}`,
  Command: 'nginx',
  Created: 1,
  Ports: [{ IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
  Labels: { a: 'b' },
  State: 'running',
  Status: 'Up 1 second',
  HostConfig: { NetworkMode: 'bridge' },
  NetworkSettings: { Networks: { bridge: {} } },
  Mounts: [],
};

/** Runs `ps` against an engine that has one container, so that the compiled code of a one-shot command lies in the cache. */
async function warmCache(folder) {
  const socket = path.join(folder, 'warm.sock');
  const server = createServer((_request, response) => {
    response.setHeader('Api-Version', '1.51');
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify([SAMPLE]));
  });
  await new Promise((resolve) => server.listen(socket, resolve));
  try {
    await promisify(execFile)(process.execPath, [path.join(folder, 'galley.cjs'), '-H', `unix://${socket}`, 'ps']);
  } finally {
    server.close();
    rmSync(socket, { force: true });
  }
  // Node writes it for its owner alone, and it holds nothing that main.cjs does not.
  for (const file of filesUnder(path.join(folder, 'cache'))) chmodSync(file, 0o644);
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
        name: 'lighter-ink',
        setup(plugin) {
          // Every row is measured several times: string-width segments graphemes for it, which the dashboard's own text never needs.
          plugin.onResolve({ filter: /^string-width$/ }, () => ({ path: 'string-width', namespace: 'own' }));
          plugin.onLoad({ filter: /^string-width$/, namespace: 'own' }, () => ({
            contents: `export { visibleCells as default } from ${JSON.stringify(at('src/store/cells.ts'))};`,
            resolveDir: root,
            loader: 'js',
          }));
          // Of undici the client takes Client and Pool; fetch, caches and web sockets would be half of what is loaded.
          plugin.onResolve({ filter: /^undici$/ }, ({ importer }) =>
            importer.startsWith(at('src')) ? { path: 'undici', namespace: 'own' } : undefined,
          );
          plugin.onLoad({ filter: /^undici$/, namespace: 'own' }, () => ({
            contents: `
              import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
              import api from 'undici/lib/api/index.js';
              export { default as Client } from 'undici/lib/dispatcher/client.js';
              export { default as Pool } from 'undici/lib/dispatcher/pool.js';
              Object.assign(Dispatcher.prototype, api);`,
            resolveDir: root,
            loader: 'js',
          }));
          // Ink imports it only when DEV=true; it would bring a web socket server.
          plugin.onResolve({ filter: /^react-devtools-core$/ }, () => ({ path: 'devtools', namespace: 'empty' }));
          plugin.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'export default {};', loader: 'js' }));
        },
      },
    ],
  };
  const at = (name) => path.join(root, name);
  const engine = { galleyd: at('daemon/main.ts') };
  if (existsSync(at('daemon/containers/archive/worker.ts')))
    engine['archive-worker'] = at('daemon/containers/archive/worker.ts');
  for (const worker of ['layers/unpack-worker', 'system/netns-worker'])
    if (existsSync(at(`daemon/${worker}.ts`))) engine[path.basename(worker)] = at(`daemon/${worker}.ts`);
  mkdirSync(next, { recursive: true });
  try {
    // Both are waited for: one that fails must not leave the other writing into a folder that is gone.
    const bundles = await Promise.allSettled([
      ...commandLine(bundle, next),
      bundle({
        ...common,
        entryPoints: { tui: at('src/tui/main.tsx') },
        splitting: true,
        chunkNames: 'chunks/[name]-[hash]',
        minify: true,
        keepNames: true,
      }),
      bundle({ ...common, entryPoints: engine }),
    ]);
    for (const result of bundles) if (result.status === 'rejected') throw result.reason;
    await warmCache(next);
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

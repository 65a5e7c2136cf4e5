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
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** What the package offers: the library and the program. They share chunks, so that both see the same modules. */
const ENTRIES = { index: join(root, 'src/index.ts'), bin: join(root, 'src/cli/bin.ts') };

/**
 * What is left out. Everything else is bundled: that halves the time to start, since Node need not find and read
 * some hundreds of small files. ssh2 finds its native binding by `__dirname`; node-pty and cpu-features are native and
 * may be missing.
 */
const EXTERNAL = ['ssh2', 'node-pty', 'cpu-features'];

/** What never runs is not loaded either: compiling it took a third of the time until a run begins. */
const lean: Plugin = {
  name: 'lean',
  setup({ onResolve, onLoad }) {
    // Node's own condition leads to CommonJS, of which every operator would be kept.
    onResolve({ filter: /^rxjs$/ }, () => ({
      path: join(root, 'node_modules/rxjs/dist/esm/index.js'),
      sideEffects: false,
    }));
    // Messages in some forty languages, of which English is spoken here.
    onResolve({ filter: /\/locales\/index\.js$/ }, ({ importer }) =>
      importer.includes('/node_modules/zod/') ? { path: 'locales', namespace: 'english' } : undefined,
    );
    onLoad({ filter: /^locales$/, namespace: 'english' }, () => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: join(root, 'node_modules/zod/v4/locales'),
    }));
  },
};

/** Dependencies written as CommonJS ask for Node's own modules by `require`, which an ES module does not have. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
].join('\n');

/**
 * Bundles the sources into dist/. Every file is put in place whole, entries last, so that a `trundle` that runs
 * meanwhile never reads half a file.
 */
export async function bundle(): Promise<void> {
  const entryPoints = Object.fromEntries(Object.entries(ENTRIES).filter(([, file]) => existsSync(file)));
  if (Object.keys(entryPoints).length === 0) return;
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: EXTERNAL,
    plugins: [lean],
    banner: { js: BANNER },
    chunkNames: 'chunks/[name]-[hash]',
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  const isEntry = (path: string) => dirname(path) === dist && path.endsWith('.js');
  const ordered = outputFiles.toSorted((a, b) => Number(isEntry(a.path)) - Number(isEntry(b.path)));
  for (const { path, contents } of ordered) {
    putInPlace(path, contents);
  }
  putInPlace(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices(Object.keys(metafile.inputs)));
  removeStaleChunks(new Set(outputFiles.map(({ path }) => path)));
}

function putInPlace(path: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const whole = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(whole, contents);
  if (path === join(dist, 'bin.js')) chmodSync(whole, 0o755);
  renameSync(whole, path);
}

/** The licences of the packages that these files come from: who passes on their code must pass them on too. */
function notices(inputs: readonly string[]): string {
  const homes = new Set(inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []));
  return [...homes]
    .toSorted()
    .map((home) => {
      const directory = join(root, home);
      const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
      const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? 'No licence text in the package.' : readFileSync(join(directory, file), 'utf8');
      return `${name} ${version} (${license})\n\n${text.trim()}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/** Chunks of earlier builds go, but not at once: a program started from them may still load one. */
function removeStaleChunks(current: ReadonlySet<string>): void {
  const chunks = join(dist, 'chunks');
  if (!existsSync(chunks)) return;
  for (const name of readdirSync(chunks)) {
    const path = join(chunks, name);
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (!current.has(path) && written !== undefined && Date.now() - written > 60_000) rmSync(path, { force: true });
  }
}

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
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { buildPage } from './page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** What both builds below have in common. */
const COMMON = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // ssh2 tells its classes apart by their names, of which ours may have the same.
  keepNames: true,
  // Each byte is read, and copied into a string. Names stay, for whoever reads where an error came from.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
} satisfies BuildOptions;

/** What never runs is not loaded either, and what is native stays where npm put it. */
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
    // Agents for HTTP through SSH, which nobody here asks for, and for which ssh2 would load all that Node has for HTTP.
    onResolve({ filter: /^\.\/http-agents\.js$/ }, () => ({ path: 'http-agents', namespace: 'unused' }));
    onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
    // WebAssembly with 16 MB of memory, for which V8 collects garbage, and which nobody uses where there is native code.
    onResolve({ filter: /\/poly1305\.js$/ }, ({ namespace, resolveDir }) =>
      namespace === 'file' ? { path: 'poly1305', namespace: 'if-needed', pluginData: resolveDir } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'if-needed' }, ({ pluginData }) => ({
      contents: `let native = true;
try { require('./crypto/build/Release/sshcrypto.node'); } catch { native = false; }
module.exports = native ? async () => ({ _malloc: () => 0, cwrap: () => undefined }) : require('./crypto/poly1305.js');`,
      resolveDir: pluginData,
    }));
    // ssh2 does without it where it was not built.
    onResolve({ filter: /\/sshcrypto\.node$/ }, () => ({
      path: 'ssh2/lib/protocol/crypto/build/Release/sshcrypto.node',
      external: true,
    }));
  },
};

/** The engine that lays out charts is larger than all the rest, and hardly ever wanted: it stays a file of its own. */
const apart: Plugin = {
  name: 'apart',
  setup({ onResolve }) {
    onResolve({ filter: /^elkjs\// }, () => ({ path: '../inspector/elk.cjs', external: true }));
  },
};

/** A piece of the bundle: see Pieces of src/bundle/load.ts, which runs it. */
const PIECE = {
  ...COMMON,
  format: 'cjs',
  // What they are is only known where they are installed.
  external: ['node-pty', 'cpu-features'],
  banner: { js: '(function (exports, require, module, __filename, __dirname, IMPORT, PIECE) {' },
  footer: { js: '})' },
} satisfies BuildOptions;

/** ssh2, a quarter of all the code, stays a piece of its own that is loaded once something of it is used. */
async function ssh2Piece(): Promise<{ name: string; contents: string; inputs: readonly string[]; plugin: Plugin }> {
  const piece = await build({
    ...PIECE,
    stdin: { contents: "module.exports = require('ssh2');", resolveDir: root },
    plugins: [lean],
    outfile: join(dist, 'ssh2.cjs'),
  });
  const contents = namedOnce(piece.outputFiles[0]?.text ?? '');
  const name = `ssh2-${hashOf(contents)}.cjs`;
  const getters = Object.keys(createRequire(import.meta.url)('ssh2')).map(
    (key) => `get ${key}() { return PIECE(${JSON.stringify(name)}).${key}; }`,
  );
  const plugin: Plugin = {
    name: 'ssh2',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^ssh2$/ }, () => ({ path: 'ssh2', namespace: 'piece' }));
      onLoad({ filter: /.*/, namespace: 'piece' }, () => ({ contents: `export default { ${getters.join(', ')} };` }));
    },
  };
  return { name, contents, inputs: Object.keys(piece.metafile.inputs), plugin };
}

/**
 * Bundles the sources into dist/. Every file is put in place whole, entries last, so that a `trundle` that runs
 * meanwhile never reads half a file.
 * @returns the path of the file that holds all of Trundle
 */
export async function bundle(): Promise<string> {
  const ssh2 = await ssh2Piece();
  const whole = await build({
    ...PIECE,
    // Nearly all in one file: that halves the time to start, since Node need not find and read hundreds of them.
    entryPoints: [join(root, 'src/bundle/whole.ts')],
    plugins: [lean, apart, ssh2.plugin],
    define: { 'import.meta.url': 'IMPORT_META_URL', PAGE: JSON.stringify('../inspector/') },
    banner: {
      js: `${PIECE.banner.js}\nconst IMPORT_META_URL = require('node:url').pathToFileURL(__filename).href;`,
    },
    outfile: join(dist, 'trundle.cjs'),
  });
  const contents = namedOnce(whole.outputFiles[0]?.text ?? '');
  const page = await buildPage();
  for (const [file, text] of page.files) putInPlace(join(dist, 'inspector', file), text);
  putInPlace(join(dist, 'inspector/elk.cjs'), readFileSync(join(root, 'node_modules/elkjs/lib/elk.bundled.js')));
  const name = `code/trundle-${hashOf(contents)}.cjs`;
  putInPlace(join(dist, 'code', ssh2.name), ssh2.contents);
  putInPlace(join(dist, name), contents);
  const loader = await loaderOf(basename(name));
  putInPlace(join(dist, loader.name), loader.contents);
  const entries = [
    // A program that is no ES module starts sooner: Node need not set up its loader of those.
    await entry(
      { entryPoints: [join(root, 'src/bundle/bin.ts')], format: 'cjs', outfile: join(dist, 'bin.cjs') },
      loader,
    ),
    await entry({ entryPoints: ['library'], format: 'esm', outfile: join(dist, 'index.js') }, loader),
  ];
  for (const { path, contents: text } of entries) putInPlace(path, text);
  putInPlace(
    join(dist, 'THIRD-PARTY-NOTICES.txt'),
    notices([...Object.keys(whole.metafile.inputs), ...ssh2.inputs, ...page.inputs, 'node_modules/elkjs/lib']),
  );
  const pieces = [join(dist, name), join(dist, 'code', ssh2.name)];
  removeStale(new Set([...pieces.flatMap((file) => [file, `${file}.cache`]), join(dist, loader.name)]));
  return join(dist, name);
}

interface Loader {
  /** Path in dist/. */
  readonly name: string;
  readonly contents: string;
}

/** What loads the pieces: CommonJS, so that program and library share one and mean the same by a class. */
async function loaderOf(piece: string): Promise<Loader> {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: [join(root, 'src/bundle/load.ts')],
    format: 'cjs',
    define: { BUNDLE: JSON.stringify(piece), HERE: '__dirname' },
    outfile: join(dist, 'load.cjs'),
  });
  const contents = outputFiles[0]?.text ?? '';
  return { name: `code/load-${hashOf(contents)}.cjs`, contents };
}

/** One of the two files that somebody names. */
async function entry(
  options: { entryPoints: string[]; format: 'cjs' | 'esm'; outfile: string },
  loader: Loader,
): Promise<{ path: string; contents: string }> {
  const apartFrom: Plugin = {
    name: 'loader',
    setup: ({ onResolve }) =>
      onResolve({ filter: /\/load\.ts$/ }, () => ({ path: `./${loader.name}`, external: true })),
  };
  const plugins = [apartFrom, library(await exportsOf(join(root, 'src/index.ts')))];
  const { outputFiles } = await build({ ...COMMON, ...options, plugins });
  return { path: options.outfile, contents: outputFiles[0]?.text ?? '' };
}

function hashOf(contents: string): string {
  return createHash('sha256').update(contents).digest('hex').slice(0, 12);
}

/**
 * esbuild names every function as often as it is made, which took a tenth of a replay. Most have their name anyway, and
 * nobody asks arrow functions for theirs.
 */
function namedOnce(code: string): string {
  const named = code.replace(
    /\b__name=\((\w+),(\w+)\)=>(?=__defProp\()/,
    '__name=($1,$2)=> $1.name === $2 || ($1.name === "" && $1.prototype === void 0) ? $1 : ',
  );
  if (named === code) throw new Error('esbuild names functions in another way now: see namedOnce');
  return named;
}

/** The library's entry: an ES module that gives out what the bundle has. */
function library(names: readonly string[]): Plugin {
  const contents = [
    "import { load } from './src/bundle/load.ts';",
    'const library = await load().library();',
    ...names.map((name) => `export const ${name} = library.${name};`),
  ].join('\n');
  return {
    name: 'library',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^library$/ }, () => ({ path: 'library', namespace: 'library' }));
      onLoad({ filter: /.*/, namespace: 'library' }, () => ({ contents, resolveDir: root }));
    },
  };
}

/** Names of what a module exports and is not only a type. */
async function exportsOf(file: string): Promise<readonly string[]> {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: [file],
    outdir: dist,
    format: 'esm',
    packages: 'external',
  });
  return Object.values(metafile.outputs).flatMap((output) => output.exports);
}

function putInPlace(path: string, contents: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  const whole = join(dirname(path), `.${basename(path)}.${process.pid}`);
  writeFileSync(whole, contents);
  if (path === join(dist, 'bin.cjs')) chmodSync(whole, 0o755);
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

/** Bundles of earlier builds go, but not at once: a program that is just starting may still read one. */
function removeStale(current: ReadonlySet<string>): void {
  const directory = join(dist, 'code');
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (!current.has(path) && written !== undefined && Date.now() - written > 60_000) rmSync(path, { force: true });
  }
}

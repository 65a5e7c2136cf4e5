import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { didYouMean } from '../events/index.ts';
import { importModule } from '../host/index.ts';
import type { Backend } from './contract.ts';
import { BackendLoadError } from './errors.ts';
import { parserOf } from './optionParser.ts';

/** How to load each backend that comes with Trundle: a run has no use for the others. */
const BUILT_IN: Readonly<Record<string, () => Promise<unknown>>> = {
  null: async () => (await import('./null/index.ts')).nullBackend,
  ssh: async () => (await import('./ssh/index.ts')).sshBackend,
  chroot: async () => (await import('./chroot/index.ts')).chrootBackend,
  schroot: async () => (await import('./schroot/index.ts')).schrootBackend,
  nspawn: async () => (await import('./nspawn/index.ts')).nspawnBackend,
  unshare: async () => (await import('./unshare/index.ts')).unshareBackend,
  podman: async () => (await import('./containers/index.ts')).podmanBackend,
  docker: async () => (await import('./containers/index.ts')).dockerBackend,
  lxc: async () => (await import('./lxc/index.ts')).lxcBackend,
  lxd: async () => (await import('./lxd/index.ts')).lxdBackend,
  incus: async () => (await import('./lxd/index.ts')).incusBackend,
  replay: async () => (await import('./replay/index.ts')).replayBackend,
};

/** The names of the backends that come with Trundle. */
export const BUILT_IN_NAMES: readonly string[] = Object.keys(BUILT_IN);

/**
 * Finds a backend: by the name of a built-in one, of an npm package `trundle-backend-NAME` (seen from the working
 * directory, then from Trundle itself), or by the path of a module.
 * @throws BackendLoadError that names what was looked for, or the field of the module that is wrong
 */
export async function loadBackend(name: string, cwd: string = process.cwd()): Promise<Backend> {
  if (Object.hasOwn(BUILT_IN, name)) return (await BUILT_IN[name]?.()) as Backend;
  const file = isPath(name) ? fileAt(name, cwd) : packageFile(name, cwd);
  if (/\.[cm]?ts$/.test(file)) {
    throw new BackendLoadError(name, `the backend ${file} is TypeScript: compile it, and name the JavaScript`);
  }
  let module: { default?: unknown };
  try {
    module = (await importModule(pathToFileURL(file).href)) as { default?: unknown };
  } catch (error) {
    throw new BackendLoadError(name, `the backend ${file} cannot be loaded: ${reasonOf(error, file)}`, null, {
      cause: error,
    });
  }
  return check(name, file, module.default);
}

function isPath(name: string): boolean {
  return name.startsWith('.') || name.includes('/');
}

function fileAt(name: string, cwd: string): string {
  const file = resolve(cwd, name);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new BackendLoadError(name, `there is no backend ${name}: no file ${file}`);
  if (!found.isDirectory()) return file;
  throw new BackendLoadError(
    name,
    `the backend ${file} is a directory: name the file of its module, as in ${name}/index.js`,
  );
}

function packageFile(name: string, cwd: string): string {
  const packageName = `trundle-backend-${name}`;
  for (const from of [pathToFileURL(resolve(cwd, 'package.json')), import.meta.url]) {
    const require = createRequire(from);
    try {
      return require.resolve(packageName);
    } catch (error) {
      const installed = placeOf(packageName, require);
      // Not there: the next place, or the error below. A package that is there and broken is another matter.
      if (installed === null) continue;
      const entry = importEntry(installed);
      if (entry !== null) return join(installed, entry);
      throw new BackendLoadError(name, `${installed} names no module to load: ${reasonOf(error)}`, null, {
        cause: error,
      });
    }
  }
  throw new BackendLoadError(
    name,
    `there is no backend ${name}.${didYouMean(name, BUILT_IN_NAMES)} Built in are ${BUILT_IN_NAMES.join(', ')}; no package ` +
      `${packageName} is installed here; a path to a module must hold a slash`,
  );
}

function placeOf(packageName: string, require: NodeJS.Require): string | null {
  const places = (require.resolve.paths(packageName) ?? []).map((place) => join(place, packageName));
  return places.find((place) => existsSync(place)) ?? null;
}

/** What a package offers to `import` only, which require() does not see (Node.js: Packages, Conditional exports). */
function importEntry(directory: string): string | null {
  const entryOf = (exported: unknown): string | null => {
    if (typeof exported === 'string') return exported;
    if (typeof exported !== 'object' || exported === null) return null;
    const conditions = exported as Record<string, unknown>;
    return entryOf(conditions['.'] ?? conditions.node ?? conditions.import ?? conditions.default);
  };
  try {
    return entryOf(
      (JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { exports?: unknown }).exports,
    );
  } catch {
    // What is wrong with its package.json, the first attempt tells.
    return null;
  }
}

/** Why a module cannot be loaded. Where JavaScript is wrong, Node tells only who asks for it. */
function reasonOf(error: unknown, file?: string): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof SyntaxError && file !== undefined)
    return `it is no JavaScript: ${error.message} (where, tells: node --check ${file})`;
  // Whoever imports is of no interest here, except for what a backend itself imports.
  return error.message.replace(/ imported from \S*loadBackend\S*$/, '');
}

const FUNCTIONS = ['probe', 'capabilities', 'open'] as const;
const MAY_BE_FUNCTIONS = ['deadlines', 'whyNotKept'] as const;

function check(name: string, file: string, value: unknown): Backend {
  const wrong = (field: string, what: string): never => {
    throw new BackendLoadError(name, `${file} is no backend: ${field} ${what}`, field);
  };
  if (value === undefined) return wrong('default', 'is not exported: `export default defineBackend({ ... })`');
  if (typeof value !== 'object' || value === null) return wrong('default', 'is not an object made by defineBackend()');
  const backend = value as Record<string, unknown>;
  if (backend.contract !== 1) wrong('contract', `is ${JSON.stringify(backend.contract)}, this Trundle knows 1`);
  if (typeof backend.name !== 'string' || backend.name === '') wrong('name', 'is not a name');
  if (typeof backend.summary !== 'string') wrong('summary', 'is not a text');
  for (const field of FUNCTIONS) if (typeof backend[field] !== 'function') wrong(field, 'is not a function');
  for (const field of MAY_BE_FUNCTIONS) {
    if (backend[field] !== undefined && typeof backend[field] !== 'function') wrong(field, 'is not a function');
  }
  if (!['boolean', 'undefined'].includes(typeof backend.lasting)) wrong('lasting', 'is neither true nor false');
  const options = backend.options as { safeParse?: unknown; shape?: unknown } | undefined;
  if (!(options instanceof z.ZodObject)) {
    wrong('options', 'is not a zod object of the zod that Trundle uses (import { z } from "trundle")');
  }
  try {
    parserOf(value as Backend);
  } catch (error) {
    wrong('help', `does not fit its options: ${reasonOf(error)}`);
  }
  return value as Backend;
}

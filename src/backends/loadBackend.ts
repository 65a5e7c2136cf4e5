import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { chrootBackend } from './chroot/index.ts';
import type { Backend } from './contract.ts';
import { BackendLoadError } from './errors.ts';
import { nullBackend } from './null/index.ts';
import { sshBackend } from './ssh/index.ts';
import { unshareBackend } from './unshare/index.ts';

/** The backends that come with Trundle. */
export const BUILT_IN: readonly Backend[] = [
  nullBackend,
  sshBackend,
  chrootBackend,
  unshareBackend,
] as unknown as Backend[];

/**
 * Finds a backend: by the name of a built-in one, of an npm package `trundle-backend-NAME` (seen from the working
 * directory, then from Trundle itself), or by the path of a module.
 * @throws BackendLoadError that names what was looked for, or the field of the module that is wrong
 */
export async function loadBackend(name: string, cwd: string = process.cwd()): Promise<Backend> {
  const builtIn = BUILT_IN.find((backend) => backend.name === name);
  if (builtIn !== undefined) return builtIn;
  const url = isPath(name) ? pathToFileURL(resolve(cwd, name)).href : packageUrl(name, cwd);
  if (/\.[cm]?ts$/.test(url)) {
    throw new BackendLoadError(name, `${name}: a backend is loaded as JavaScript; compile it first`);
  }
  let module: { default?: unknown };
  try {
    module = (await import(url)) as { default?: unknown };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackendLoadError(name, `the backend ${name} cannot be loaded: ${reason}`, null, { cause: error });
  }
  return check(name, module.default);
}

function isPath(name: string): boolean {
  return name.startsWith('.') || name.includes('/');
}

function packageUrl(name: string, cwd: string): string {
  const packageName = `trundle-backend-${name}`;
  for (const from of [pathToFileURL(resolve(cwd, 'package.json')), import.meta.url]) {
    try {
      return pathToFileURL(createRequire(from).resolve(packageName)).href;
    } catch {
      // Not there; the next place, or the error below.
    }
  }
  const known = BUILT_IN.map((backend) => backend.name).join(', ');
  throw new BackendLoadError(
    name,
    `there is no backend ${name}: it is not built in (${known}), and no package ${packageName} is installed here; ` +
      'a path to a module must hold a slash',
  );
}

const FUNCTIONS = ['probe', 'capabilities', 'open'] as const;

function check(name: string, value: unknown): Backend {
  const wrong = (field: string, what: string): never => {
    throw new BackendLoadError(name, `the module of backend ${name} is no backend: ${field} ${what}`, field);
  };
  if (typeof value !== 'object' || value === null) return wrong('default', 'is not an object made by defineBackend()');
  const backend = value as Record<string, unknown>;
  if (backend.contract !== 1) wrong('contract', `is ${JSON.stringify(backend.contract)}, this Trundle knows 1`);
  if (typeof backend.name !== 'string' || backend.name === '') wrong('name', 'is not a name');
  if (typeof backend.summary !== 'string') wrong('summary', 'is not a text');
  for (const field of FUNCTIONS) if (typeof backend[field] !== 'function') wrong(field, 'is not a function');
  const options = backend.options as { safeParse?: unknown; shape?: unknown } | undefined;
  if (!(options instanceof z.ZodObject)) {
    wrong('options', 'is not a zod object of the zod that Trundle uses (import { z } from "trundle")');
  }
  return value as Backend;
}

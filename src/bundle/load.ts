import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import type { Whole } from './whole.ts';

/** The bundle's file, seen from this one; put in when it is built. */
declare const BUNDLE: string;

let loaded: Whole | null = null;

/**
 * What the bundle holds, loaded once per process. Compiling it would take half the time of a short run, so V8's own
 * compiled code lies beside it (`.cache`); where another version of Node made that, it is left aside.
 */
export function load(): Whole {
  if (loaded === null) {
    const file = fileURLToPath(new URL(BUNDLE, import.meta.url));
    const cache = `${file}.cache`;
    loaded = evaluate(compile(file, existsSync(cache) ? readFileSync(cache) : undefined), file);
  }
  return loaded;
}

/** Compiles a bundle, which is ASCII, as a function of what a CommonJS module is given, and of {@link load}'s import(). */
export function compile(file: string, cachedData?: Buffer): Script {
  const source = readFileSync(file, 'latin1');
  const wrapped = `(function (exports, require, module, __filename, __dirname, IMPORT) {${source}\n})`;
  return new Script(wrapped, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
}

/** Runs a compiled bundle. */
export function evaluate(script: Script, file: string): Whole {
  const module = { exports: {} as Whole };
  // A script that was compiled earlier has no import() of its own.
  const importModule = (specifier: string) => import(specifier);
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file), importModule);
  return module.exports;
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import type { Whole } from './whole.ts';

/** The directory of this file as it is built, and the bundle's file in it; put in when that is done. */
declare const HERE: string;
declare const BUNDLE: string;

let loaded: Whole | null = null;

/** What the bundle holds, loaded once per process. */
export function load(): Whole {
  loaded ??= new Pieces(join(HERE, BUNDLE)).whole;
  return loaded;
}

/**
 * The files of the bundle, each of which is one function of what a CommonJS module is given, of an import(), and of what
 * loads another of these files. Compiling them would take half the time of a short run, so V8's own compiled code lies
 * beside each (`.cache`); where another version of Node made that, it is left aside.
 */
export class Pieces {
  /** Those that were asked for, by their path. */
  readonly scripts = new Map<string, Script>();
  readonly #exports = new Map<string, unknown>();
  readonly #file: string;
  readonly #cached: boolean;

  constructor(file: string, { cached = true }: { cached?: boolean } = {}) {
    this.#file = file;
    this.#cached = cached;
  }

  get whole(): Whole {
    return this.#load(this.#file) as Whole;
  }

  #load(file: string): unknown {
    if (!this.#exports.has(file)) this.#exports.set(file, this.#evaluate(file, this.#compile(file)));
    return this.#exports.get(file);
  }

  #compile(file: string): Script {
    const cachedData = this.#cached ? codeOf(file) : undefined;
    // It is ASCII.
    const source = readFileSync(file, 'latin1');
    const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
    this.scripts.set(file, script);
    return script;
  }

  #evaluate(file: string, script: Script): unknown {
    const module = { exports: {} };
    // A script that was compiled earlier has no import() of its own.
    const importModule = (specifier: string) => import(specifier);
    const loadPiece = (name: string) => this.#load(join(dirname(file), name));
    const run = script.runInThisContext();
    run(module.exports, createRequire(file), module, file, dirname(file), importModule, loadPiece);
    return module.exports;
  }
}

function codeOf(file: string): Buffer | undefined {
  try {
    return readFileSync(`${file}.cache`);
  } catch {
    // None was made, or it cannot be read: the source is there.
    return undefined;
  }
}

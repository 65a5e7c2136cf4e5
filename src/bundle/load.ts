import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
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
    // It is ASCII.
    const source = read(file).toString('latin1');
    const cachedData = this.#cached ? codeOf(file) : undefined;
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
    return read(`${file}.cache`);
  } catch {
    // None was made, or it cannot be read: the source is there.
    return undefined;
  }
}

/** Bytes that the largest file of the bundle takes, and more: what is not used takes no memory. */
const ROOM = 4 * 1024 * 1024;

/** To touch memory for the first time is dear: all is read to the same place. */
let room = Buffer.alloc(0);

/** A file's bytes, until the next is read. */
function read(file: string): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    if (size > room.length) room = Buffer.allocUnsafeSlow(Math.max(size, ROOM));
    let length = 0;
    for (let more = 1; length < size && more > 0; length += more)
      more = readSync(descriptor, room, length, size - length, null);
    return room.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const src = join(root, 'src');

/** One `import` or `export from` of a source file. */
export interface Import {
  /** Path of the importing file, relative to src/. */
  readonly file: string;
  /** The specifier as written. */
  readonly specifier: string;
  /** Where a relative specifier leads, relative to src/ (`../package.json` for what lies outside); else null. */
  readonly target: string | null;
  /** `import type` and `export type`: nothing is loaded at run time. */
  readonly typeOnly: boolean;
}

/** A source file, by its path relative to src/. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** The folder directly under src/ that a file is in; `(root)` for src/index.ts. */
export function roomOf(file: string): string {
  const [first, second] = file.split('/');
  return second === undefined || first === undefined ? '(root)' : first;
}

/** Every TypeScript file under src/. */
export function readSources(): Source[] {
  return readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ file: relative(src, path), text: readFileSync(path, 'utf8') }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}

const STATIC = /^\s*(?:import|export)\s+(type\s+)?(?:[^;'"`]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** What a file imports, statically and dynamically. */
export function importsOf({ file, text }: Source): Import[] {
  const found = [
    ...[...text.matchAll(STATIC)].map((match) => ({ specifier: match[2] ?? '', typeOnly: match[1] !== undefined })),
    ...[...text.matchAll(DYNAMIC)].map((match) => ({ specifier: match[1] ?? '', typeOnly: false })),
  ];
  return found.map(({ specifier, typeOnly }) => ({
    file,
    specifier,
    typeOnly,
    target: specifier.startsWith('.') ? relative(src, join(src, dirname(file), specifier)) : null,
  }));
}

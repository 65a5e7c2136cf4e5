import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';

/** One thing in a tree. Names are bytes, written as latin1. */
export type Entry =
  | { kind: 'file'; name: string; mode: number; time: number; content: string }
  | { kind: 'sparse'; name: string; mode: number; time: number; holes: readonly number[] }
  | { kind: 'link'; name: string; time: number; to: string }
  | { kind: 'fifo'; name: string; mode: number; time: number }
  | { kind: 'twin'; name: string }
  | { kind: 'directory'; name: string; mode: number; time: number; entries: readonly Entry[] };

/** Any byte may be in a name but the slash and NUL. */
const name = fc
  .oneof(
    fc
      .uint8Array({ min: 1, max: 255, minLength: 1, maxLength: 12 })
      .map((bytes) => Buffer.from(bytes).toString('latin1').replaceAll('/', '_')),
    fc.constantFrom(
      '-rf',
      '--',
      'new\nline',
      ' ',
      '~',
      "it's",
      '*',
      '\\',
      'x'.repeat(255),
      'y'.repeat(140),
      '\xff\xfe',
      'caf\xc3\xa9',
    ),
  )
  .filter((text) => text !== '.' && text !== '..');

const time = fc.integer({ min: 0, max: 4_000_000_000 });
const mode = fc.constantFrom(0o644, 0o600, 0o755, 0o444, 0o4755, 0o2755, 0o6711, 0o1777, 0o666);

/** Random trees, a few levels deep, of everything that can lie in one. */
export const trees: fc.Arbitrary<readonly Entry[]> = fc.letrec<{ tree: readonly Entry[]; entry: Entry }>((tie) => ({
  tree: fc.uniqueArray(tie('entry'), { maxLength: 6, selector: (entry) => entry.name }),
  entry: fc.oneof(
    { maxDepth: 3 },
    fc.record({
      kind: fc.constant('file' as const),
      name,
      mode,
      time,
      content: fc.string({ unit: 'binary', maxLength: 2000 }),
    }),
    fc.record({
      kind: fc.constant('sparse' as const),
      name,
      mode,
      time,
      holes: fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 30 }),
    }),
    fc.record({
      kind: fc.constant('link' as const),
      name,
      time,
      to: fc.constantFrom('nowhere', '/etc/passwd', '..', '../../x', '.', `deep/${'z'.repeat(150)}`),
    }),
    fc.record({ kind: fc.constant('fifo' as const), name, mode, time }),
    fc.record({ kind: fc.constant('twin' as const), name }),
    fc.record({
      kind: fc.constant('directory' as const),
      name,
      mode: fc.constantFrom(0o755, 0o700, 0o555, 0o2775, 0o1777),
      time,
      entries: tie('tree'),
    }),
  ),
})).tree;

/** Makes a tree in a directory that exists. A twin is one more name for the file made before it. */
export function makeTree(directory: Buffer | string, entries: readonly Entry[]): void {
  let file: Buffer | null = null;
  for (const entry of entries) {
    const path = inside(directory, Buffer.from(entry.name, 'latin1'));
    switch (entry.kind) {
      case 'file':
        writeFileSync(path, entry.content);
        file = path;
        break;
      case 'sparse': {
        const descriptor = openSync(path, 'w');
        for (const hole of entry.holes) writeSync(descriptor, Buffer.alloc(4096, 0x61), 0, 4096, hole * 65_536);
        closeSync(descriptor);
        file = path;
        break;
      }
      case 'link':
        symlinkSync(entry.to, path);
        break;
      case 'fifo':
        makeFifo(path);
        break;
      case 'twin':
        if (file !== null) linkSync(file, path);
        continue;
      case 'directory':
        mkdirSync(path);
        makeTree(path, entry.entries);
        break;
    }
    if (entry.kind !== 'link') chmodSync(path, entry.mode);
    lutimesSync(path, entry.time, entry.time);
  }
}

/** What lies in a directory as far as `modes` shows modes: names, kinds, modes, times, contents, links and which names are of one file. */
export function describeTree(directory: Buffer | string, owners = false, modes = 0o7777): string[] {
  const first = new Map<number, string>();
  const walk = (at: Buffer, shown: string): string[] =>
    readdirSync(at, { encoding: 'buffer' })
      .sort(Buffer.compare)
      .flatMap((each) => {
        const path = inside(at, each);
        const label = `${shown}/${each.toString('latin1')}`;
        const info = lstatSync(path);
        const facts = [
          JSON.stringify(label),
          (info.mode & (0o170000 | modes)).toString(8),
          ...(owners ? [`${info.uid}:${info.gid}`] : []),
          Math.floor(info.mtimeMs / 1000),
        ];
        if (info.isDirectory()) return [facts.join(' '), ...walk(path, label)];
        if (info.isSymbolicLink()) return [`${facts.join(' ')} -> ${readlinkSync(path, { encoding: 'latin1' })}`];
        if (!info.isFile()) return [facts.join(' ')];
        const twin = info.nlink > 1 ? first.get(info.ino) : undefined;
        if (twin === undefined) first.set(info.ino, label);
        const sum = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16);
        return [[...facts, info.size, sum, ...(twin === undefined ? [] : [`= ${JSON.stringify(twin)}`])].join(' ')];
      });
  return walk(Buffer.from(directory), '');
}

function inside(directory: Buffer | string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), name]);
}

/** Node hands no program a name that is no UTF-8: it is made elsewhere and moved. */
function makeFifo(path: Buffer): void {
  const made = join(mkdtempSync(join(tmpdir(), 'trundle-test-')), 'fifo');
  execFileSync('mkfifo', [made]);
  renameSync(made, path);
  rmdirSync(dirname(made));
}

import { describe, expect, test } from 'vitest';
import { importsOf, readSources, roomOf } from './support/sources.ts';

/** Which rooms each room may import from. docs/decisions says why the lines run where they do. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  '(root)': ['backends', 'driver', 'events', 'inspector', 'runner', 'testbed', 'trace'],
  // How the program starts, and the library with it.
  bundle: ['(root)', 'cli', 'events'],
  cli: ['(root)', 'backends', 'events', 'host', 'runner', 'testbed', 'trace', 'images', 'protocol', 'inspector'],
  inspector: ['diagrams', 'events', 'machines', 'trace'],
  protocol: ['events', 'runner', 'testbed', 'trace'],
  images: ['events', 'testbed'],
  runner: ['events', 'host', 'testbed'],
  testbed: ['backends', 'driver', 'events', 'machines', 'trace'],
  // A recorded testbed is a backend, and what it answers is in its trace.
  backends: ['events', 'host', 'standin', 'trace'],
  trace: ['events', 'host', 'machines'],
  // Pictures of the machines: for diagrams/ today, for a page that shows a live run tomorrow.
  diagrams: ['events', 'machines'],
  driver: ['events', 'host'],
  standin: ['events', 'host'],
  machines: ['events'],
  events: [],
  // File system and programs of the machine that Trundle runs on.
  host: [],
};

/** Doors besides a room's index and contracts: what they load is heavy, so that only who needs it shall pay. */
const SIDE_DOORS = ['events/parseEvent.ts', 'events/schemas/common.ts', 'cli/main.ts', 'trace/pure.ts'];

/** Packages that only some rooms may touch. */
const ONLY_IN: Record<string, readonly string[]> = {
  ssh2: ['driver', 'standin'],
  'node-pty': ['standin'],
  // The words after `--` belong to the backend, and only its schema knows them.
  commander: ['cli', 'backends'],
  picocolors: ['cli'],
  pino: ['cli'],
  'elkjs/lib/elk.bundled.js': ['diagrams'],
  preact: ['inspector'],
  '@preact/signals': ['inspector'],
};

/** What the machines may load: they are pure, so that a replay is sure to take the same decisions. */
const MACHINES_MAY_LOAD = ['xstate', 'zod'];

const sources = readSources();
const imports = sources.flatMap(importsOf);

describe('the rooms of src/', () => {
  test('are all in the table of who may import whom', () => {
    const rooms = new Set(sources.map(({ file }) => roomOf(file)));
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  });

  test('import only from the rooms that the table allows', () => {
    const trespasses = imports
      .filter(({ file, target }) => {
        if (target === null || target.startsWith('..')) return false;
        const [from, to] = [roomOf(file), roomOf(target)];
        return from !== to && !MAY_IMPORT[from]?.includes(to);
      })
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(trespasses).toEqual([]);
  });

  test('reach into another room only through its index or its contract', () => {
    const sideDoors = imports
      .filter(({ file, target }) => target !== null && !target.startsWith('..') && roomOf(file) !== roomOf(target))
      .filter(({ target }) => !/^(?:[^/]+\/)?(?:index|contract|\w+Contract)\.ts$/.test(target ?? ''))
      .filter(({ target }) => !SIDE_DOORS.includes(target ?? ''))
      .map(({ file, target }) => `${file} imports ${target}`);
    expect(sideDoors).toEqual([]);
  });

  test('have no circle among them', () => {
    const edges = new Map<string, Set<string>>();
    for (const { file, target } of imports) {
      if (target === null || target.startsWith('..')) continue;
      const [from, to] = [roomOf(file), roomOf(target)];
      if (from !== to) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
    expect(circleIn(edges)).toEqual([]);
  });
});

describe('what a room may load', () => {
  test('packages with a home are imported only there', () => {
    const strays = imports
      .filter(({ file, specifier }) => ONLY_IN[specifier] !== undefined && !ONLY_IN[specifier].includes(roomOf(file)))
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(strays).toEqual([]);
  });

  test('machines load nothing that knows of time, files or the network', () => {
    const impure = imports
      .filter(({ file, target, typeOnly }) => roomOf(file) === 'machines' && target === null && !typeOnly)
      .filter(({ specifier }) => !MACHINES_MAY_LOAD.includes(specifier))
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(impure).toEqual([]);
  });

  test('machines read no clock and no randomness', () => {
    const impure = sources
      .filter(
        ({ file, text }) =>
          roomOf(file) === 'machines' &&
          /\b(?:Date\.now|new Date|performance\.|Math\.random|setTimeout|process\.(?:env|pid|hrtime|nextTick|uptime))/.test(
            text,
          ),
      )
      .map(({ file }) => file);
    expect(impure).toEqual([]);
  });

  test("Node's own modules are imported by their node: name", () => {
    const bare = imports
      .filter(({ specifier }) =>
        /^(?:fs|path|os|net|stream|child_process|crypto|events|util|url|timers|readline)(?:\/|$)/.test(specifier),
      )
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(bare).toEqual([]);
  });
});

describe('a file of src/', () => {
  test('holds at most 400 lines', () => {
    const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > 400).map(({ file }) => file);
    expect(long).toEqual([]);
  });

  test('has no default export', () => {
    const withDefault = sources
      .filter(({ text }) => /^export default\b|\bas default\b/m.test(text))
      .map(({ file }) => file);
    expect(withDefault).toEqual([]);
  });

  test('names the file it imports in full', () => {
    const vague = imports
      .filter(({ target }) => target !== null && !/\.(?:tsx?|json)$/.test(target))
      .map(({ file, specifier }) => `${file} imports ${specifier}`);
    expect(vague).toEqual([]);
  });
});

/** The rooms of one circle in the order they import each other; empty if there is none. */
function circleIn(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const done = new Set<string>();
  function walk(room: string, path: readonly string[]): string[] {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return [];
    for (const next of edges.get(room) ?? []) {
      const circle = walk(next, [...path, room]);
      if (circle.length > 0) return circle;
    }
    done.add(room);
    return [];
  }
  for (const room of edges.keys()) {
    const circle = walk(room, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

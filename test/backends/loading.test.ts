import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, ownState } from '../e2e/support/cli.ts';
import { makeProject, type Project } from '../support/examples.ts';
import { writeModule } from './support/modules.ts';

/** A backend that loads; tests break one thing of it. */
const SOUND = `import { defineBackend, Subject, z } from 'trundle';
const done = async () => {};
const verbs = { observations$: new Subject(), create: done, start: done, endpoint: done, stop: done, destroy: done };
const backend = defineBackend({
  name: 'theirs',
  summary: 'a backend of a third party',
  options: z.object({ size: z.string().default('1G').describe('how large') }),
  probe: async () => ({ available: true, detail: 'as ever' }),
  capabilities: () => [],
  open: () => verbs,
});
`;

/** What a real Node says to each name, asked in one process: the runner of these tests loads modules in its own way. */
const ASK = `import { configureBackend } from 'trundle';
const [names] = process.argv.slice(2).map((text) => JSON.parse(text));
const answers = {};
for (const name of names) {
  answers[name] = await configureBackend([name]).then(
    (backend) => ({ name: backend.name }),
    ({ name, message, field, cause }) => ({ error: name, message, field: field ?? null, cause: cause?.message ?? null }),
  );
}
process.stdout.write(JSON.stringify(answers));
`;

interface Answer {
  readonly name?: string;
  readonly error?: string;
  readonly message: string;
  readonly field: string | null;
  readonly cause: string | null;
}

let project: Project;
let answers: Record<string, Answer> = {};

/** What is wrong with each file of the project, or how it is found. */
const FILES: Record<string, string> = {
  'sound.mjs': `${SOUND}export default backend;`,
  'old.cjs': `module.exports = { contract: 1, name: 'old' };`,
  'nothing.mjs': `${SOUND}export const other = backend;`,
  'number.mjs': 'export default 7;',
  'future.mjs': `${SOUND}export default { ...backend, contract: 2 };`,
  'nameless.mjs': `${SOUND}export default { ...backend, name: '' };`,
  'wordless.mjs': `${SOUND}export default { ...backend, summary: undefined };`,
  'unopenable.mjs': `${SOUND}export default { ...backend, open: undefined };`,
  'unprobed.mjs': `${SOUND}export default { ...backend, probe: 'yes' };`,
  'passing.mjs': `${SOUND}export default { ...backend, lasting: 'no' };`,
  'optionless.mjs': `${SOUND}export default { ...backend, options: { size: 'text' } };`,
  'string.mjs': `${SOUND}export default { ...backend, options: z.string() };`,
  'twice.mjs': `${SOUND}export default { ...backend, options: z.object({ a: z.string(), b: z.string() }), help: { short: { a: 'x', b: 'x' } } };`,
  'long.mjs': `${SOUND}export default { ...backend, help: { short: { size: 'siz' } } };`,
  'throwing.mjs': 'throw new Error("no licence for this machine");',
  'rejecting.mjs': 'await Promise.reject("not today");',
  'broken.mjs': 'const fine = 1;\nexport default {{\n',
  'prose.js': 'This is a text about backends.\n',
  'typed.ts': 'export default 1 as number;',
  'lonely.mjs': 'import "a-package-that-is-not-there";\nexport default 1;',
  'page.html': '<html></html>',
};

/** Packages that npm has installed in the project, with what is special of their package.json. */
const PACKAGES: Record<string, object> = {
  'trundle-backend-main': { main: './index.js' },
  'trundle-backend-exporting': { exports: './index.js' },
  'trundle-backend-importing': { exports: { '.': { types: './index.d.ts', import: './index.js' } } },
  'trundle-backend-hollow': { exports: './missing.js' },
  'trundle-backend-closed': { exports: { './inner': './index.js' } },
};

beforeAll(() => {
  project = makeProject();
  for (const [name, text] of Object.entries(FILES)) writeModule(join(project.directory, name), text);
  for (const [name, more] of Object.entries(PACKAGES)) {
    const place = join(project.directory, 'node_modules', name);
    writeModule(join(place, 'index.js'), `${SOUND}export default backend;`);
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version: '1.0.0', type: 'module', ...more }));
  }
  mkdirSync(join(project.directory, 'empty'));
  writeFileSync(join(project.directory, 'package.json'), JSON.stringify({ type: 'module' }));
  const ask = writeModule(join(project.directory, 'ask.mjs'), ASK);
  const paths = [...Object.keys(FILES), 'missing.mjs', 'empty'].map((name) => `./${name}`);
  const names = ['main', 'exporting', 'importing', 'hollow', 'closed', 'absent', 'shs', 'nul', '@scope/thing'];
  const all = [...paths, join(project.directory, 'sound.mjs'), 'sub/../sound.mjs', ...names];
  const words = [ask, JSON.stringify(all)];
  answers = JSON.parse(execFileSync(process.execPath, words, { cwd: project.directory, encoding: 'utf8' }));
});
afterAll(() => project?.[Symbol.dispose]());

function answer(name: string): Answer {
  const found = answers[name];
  if (found === undefined) throw new Error(`${name} was not asked for`);
  return found;
}

describe('a backend is found', () => {
  test.each(['./sound.mjs', 'sub/../sound.mjs'])('by a path with a slash, from the working directory: %s', (path) => {
    expect(answer(path)).toEqual({ name: 'theirs' });
  });

  test('by an absolute path', () => {
    expect(answer(join(project.directory, 'sound.mjs'))).toEqual({ name: 'theirs' });
  });

  test.each(['main', 'exporting', 'importing'])('by the name of an installed package: %s', (name) => {
    expect(answer(name)).toEqual({ name: 'theirs' });
  });

  test('by the command line, with its options', async () => {
    const { status, stdout } = await cli(['backends', 'main'], { cwd: project.directory, env: ownState() });
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: trundle run SOURCE -- theirs \[options\]/);
    expect(stdout).toMatch(/--size <text> +how large/);
    expect(stdout).toContain('ready: as ever');
  });
});

describe('a backend that is none is refused', () => {
  test.each([
    ['./nothing.mjs', 'default', 'is not exported'],
    ['./number.mjs', 'default', 'is not an object made by defineBackend()'],
    ['./old.cjs', 'summary', 'is not a text'],
    ['./future.mjs', 'contract', 'is 2, this Trundle knows 1'],
    ['./nameless.mjs', 'name', 'is not a name'],
    ['./wordless.mjs', 'summary', 'is not a text'],
    ['./unopenable.mjs', 'open', 'is not a function'],
    ['./unprobed.mjs', 'probe', 'is not a function'],
    ['./passing.mjs', 'lasting', 'is neither true nor false'],
    ['./optionless.mjs', 'options', 'is not a zod object'],
    ['./string.mjs', 'options', 'is not a zod object'],
    ['./twice.mjs', 'help', "conflicting flag '-x'"],
    ['./long.mjs', 'help', '-siz'],
  ])('%s: its file and the field %s are named', (path, field, what) => {
    const { error, message, field: blamed } = answer(path);
    expect(error).toBe('BackendLoadError');
    expect(message).toContain(`${join(project.directory, path)} is no backend: ${field} `);
    expect(message).toContain(what);
    expect(blamed).toBe(field);
  });

  test.each([
    ['./throwing.mjs', 'no licence for this machine'],
    ['./rejecting.mjs', 'not today'],
    ['./broken.mjs', /it is no JavaScript: .*node --check .*broken\.mjs\)$/],
    ['./prose.js', /it is no JavaScript: .*node --check .*prose\.js\)$/],
    ['./lonely.mjs', /Cannot find package 'a-package-that-is-not-there' imported from .*lonely\.mjs$/],
    ['./page.html', /Unknown file extension "\.html"/],
  ])('%s cannot be loaded: its file and the reason are named', (path, reason) => {
    const { error, message } = answer(path);
    expect(error).toBe('BackendLoadError');
    expect(message).toContain(`the backend ${join(project.directory, path)} cannot be loaded: `);
    expect(message).toMatch(reason);
    expect(message).not.toMatch(/loadBackend|chunk/);
  });

  test('a file that is not there', () => {
    const file = join(project.directory, 'missing.mjs');
    expect(answer('./missing.mjs').message).toBe(`there is no backend ./missing.mjs: no file ${file}`);
  });

  test('a directory', () => {
    expect(answer('./empty').message).toMatch(
      /is a directory: name the file of its module, as in \.\/empty\/index\.js/,
    );
  });

  test('TypeScript', () => {
    expect(answer('./typed.ts').message).toMatch(/typed\.ts is TypeScript: compile it/);
  });

  test.each(['hollow', 'closed'])('a package without a module: %s', (name) => {
    const { error, message } = answer(name);
    expect(error).toBe('BackendLoadError');
    expect(message).toContain(join(project.directory, 'node_modules', `trundle-backend-${name}`));
  });

  test('a name of nothing, with what was looked for', () => {
    const { message } = answer('absent');
    expect(message).toMatch(/^there is no backend absent\. Built in are null, ssh, chroot/);
    expect(message).toContain('no package trundle-backend-absent is installed here');
    expect(message).toContain('a path to a module must hold a slash');
  });

  test.each([
    ['shs', 'ssh'],
    ['nul', 'null'],
  ])('%s, with the nearest name, %s', (typed, meant) => {
    expect(answer(typed).message).toContain(`there is no backend ${typed}. Did you mean ${meant}?`);
  });
});

describe('a backend whose testbed is none', () => {
  test.each([
    ['{ ...verbs, create: undefined, stop: 7 }', 'a testbed without create(), stop()'],
    ['{ ...verbs, reset: true }', 'a testbed whose reset is no function'],
    ['{ ...verbs, observations$: [] }', 'a testbed without observations$'],
    ['Promise.resolve(verbs)', 'a promise'],
    ['undefined', 'no object with the verbs of a testbed'],
  ])('ends the run by saying so: %s', async (opened, what) => {
    const text = `${SOUND}export default { ...backend, open: () => (${opened}) };`;
    writeModule(join(project.directory, 'verbless.mjs'), text);
    const where = { cwd: project.directory, env: ownState() };
    const { status, stderr } = await cli(['exec', 'true', '--', './verbless.mjs'], where);
    expect(status).not.toBe(0);
    expect(stderr).toContain(`open() of the backend theirs gives ${what}`);
    expect(stderr).not.toMatch(/internal error|at .*\.js:\d+/);
  });
});

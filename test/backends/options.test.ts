import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type BackendOptionError, backendHelp, configureBackend, loadBackend } from '../../src/backends/index.ts';
import { makeProject } from '../support/examples.ts';
import { forThisTest } from '../support/workplace.ts';
import { writeModule } from './support/modules.ts';

/** A backend with an option of every kind, to be found by path. */
const EVERY_KIND = `import { defineBackend, Subject, z } from 'trundle';
const done = async () => {};
export default defineBackend({
  name: 'kinds',
  summary: 'an option of every kind',
  options: z.object({
    image: z.string().describe('what to boot'),
    extra: z.array(z.string()).default([]).describe('more words'),
    memory: z.number().int().min(64).default(512).describe('mebibytes (512)'),
    ratio: z.number().optional(),
    cores: z.array(z.number()).default([]),
    keepGoing: z.boolean().default(true),
    kernelMode: z.enum(['host', 'own']).default('own'),
    passPhrase: z.string().optional().describe('never written'),
    bind: z.array(z.string()).default([]),
  }),
  help: { positional: ['image', 'extra'], short: { memory: 'm', keepGoing: 'k', passPhrase: 'P', bind: 'b' }, pairs: ['bind'], secret: ['passPhrase'] },
  probe: async () => ({ available: true }),
  capabilities: (options) => [JSON.stringify(options)],
  open: () => ({ observations$: new Subject(), create: done, start: done, endpoint: done, stop: done, destroy: done }),
});
`;

async function parse(...words: string[]): Promise<{ options: Record<string, unknown>; words: readonly string[] }> {
  const project = forThisTest(makeProject());
  const file = writeModule(join(project.directory, 'kinds.mjs'), EVERY_KIND);
  const backend = await configureBackend([file, ...words]);
  return { options: JSON.parse(backend.capabilities()[0] ?? '{}'), words: backend.words.slice(1) };
}

async function refusal(words: readonly string[]): Promise<BackendOptionError> {
  return await configureBackend(words).then(
    () => Promise.reject(new Error(`${words.join(' ')} was taken`)),
    (error: BackendOptionError) => error,
  );
}

test('a value in two words is one as well', async () => {
  const words = ['--bind', '/a:/b', '-b', '/c', '/d', '-b/e:/f', 'image', '--bind', '/g', '/h'];
  expect((await parse(...words)).options).toMatchObject({ image: 'image', bind: ['/a:/b', '/c:/d', '/e:/f', '/g:/h'] });
});

test('half a value in two words is left to the backend to refuse', async () => {
  expect((await parse('image', '--bind', '/a', '-m', '100')).options).toMatchObject({ bind: ['/a'], memory: 100 });
});

test('every kind of option is read as what its schema says', async () => {
  const words = [
    'bookworm',
    'one',
    'two',
    '-m',
    '1024',
    '--ratio=0.5',
    '--cores',
    '1',
    '--cores',
    '-2',
    '--no-keep-going',
  ];
  expect((await parse(...words, '--kernel-mode', 'host')).options).toEqual({
    image: 'bookworm',
    extra: ['one', 'two'],
    memory: 1024,
    ratio: 0.5,
    cores: [1, -2],
    keepGoing: false,
    kernelMode: 'host',
    bind: [],
  });
});

test('what is not given has its default', async () => {
  const { options } = await parse('bookworm');
  expect(options).toEqual({
    image: 'bookworm',
    extra: [],
    memory: 512,
    cores: [],
    keepGoing: true,
    kernelMode: 'own',
    bind: [],
  });
});

test('numbers among texts stay texts', async () => {
  expect((await parse('12', '007')).options).toMatchObject({ image: '12', extra: ['007'] });
});

test('long options that are cut short are what they can only be', async () => {
  const words = ['--mem', '64', '--ratio', '--mem', '--pass', 'hunter2', '--kernel-m=host', '-kb', '--mem'];
  const project = forThisTest(makeProject());
  const file = writeModule(
    join(project.directory, 'kinds.mjs'),
    EVERY_KIND.replace('ratio: z.number()', 'ratio: z.string()'),
  );
  const backend = await configureBackend([file, ...words, 'image', '--', '--mem']);
  expect(JSON.parse(backend.capabilities()[0] ?? '{}')).toMatchObject({
    ...{ memory: 64, ratio: '--mem', passPhrase: 'hunter2', kernelMode: 'host', bind: ['--mem'] },
    ...{ image: 'image', extra: ['--mem'] },
  });
  expect(backend.words.join(' ')).not.toContain('hunter2');
});

test('what a backend passes through is not written whole', async () => {
  const backend = await configureBackend(['podman', '--ini', 'image', '--ini', '--mem=2g']);
  expect(backend.words).toEqual(['podman', '--init', 'image', '--ini', '--mem=2g']);
});

test('options set deadlines', async () => {
  const backend = await configureBackend(['ssh', '-H', 'h', '--timeout-ssh', '1.5']);
  expect(backend.deadlines?.()).toEqual({ 'ssh-ready': 1500 });
  expect((await configureBackend(['ssh', '-H', 'h'])).deadlines?.()).toEqual({});
});

test.each([
  [['-H', 'root@h'], ['root-on-testbed']],
  [['-H', 'root@h', '-l', 'somebody'], []],
  [['-H', 'somebody@h', '-l', 'root'], ['root-on-testbed']],
])('the login before a host name is one, where no other is given: %j', async (words, capabilities) => {
  expect((await configureBackend(['ssh', ...words])).capabilities()).toEqual(capabilities);
});

test.each([
  [['ssh', '--hostnmae', 'x'], '--hostnmae', "ssh: unknown option '--hostnmae'\n(Did you mean --hostname?)"],
  [['ssh', '--pasword=hunter2'], '--pasword', "ssh: unknown option '--pasword'\n(Did you mean --password?)"],
  [['ssh', '--nope'], '--nope', "ssh: unknown option '--nope'"],
  [['ssh', '--p', '22'], '--p', "ssh: ambiguous option '--p': it could be --port, --password"],
  [['ssh', '-H', 'h', '-o', 'Port=1'], '-o', /^ssh: -o: .* --command "ssh OPTIONS/],
  [['ssh', '-H', 'h', '--setup-script=x'], '--setup-script', /^ssh: --setup-script: .* a backend of its own/],
  [['ssh', '-H', 'h', '--timeout-ssh', '0'], '--timeout-ssh', /^ssh: --timeout-ssh: /],
  [['unshare', '-u', '/x'], '-u', /^unshare: -u: .* TMPDIR/],
  [['podman', '--docker', 'x'], '--docker', 'podman: --docker: that is a backend of its own: -- docker IMAGE'],
  [['lxd', '--vm', 'x'], '--vm', /^lxd: --vm: /],
  [
    ['lxd', '--name', '-x', 'image'],
    '--name',
    'lxd: --name: it must be letters, digits and dashes, as the name of a host',
  ],
  [['ssh', '--frobnicate'], '--frobnicate', "ssh: unknown option '--frobnicate'"],
  [['ssh', '--port'], '--port', "ssh: option '-p, --port <number>' argument missing"],
  [['ssh', '--socket'], '--socket', "ssh: option '--socket <text>' argument missing"],
  [['ssh', '-H', 'h', '--port', 'abc'], '--port', 'ssh: --port: it must be a number'],
  [['ssh', '-H', 'h', '--port', ''], '--port', 'ssh: --port: it must be a number'],
  [['ssh', '-H', 'h', '--port', '22.5'], '--port', 'ssh: --port: it must be a whole number'],
  [['ssh', '-H', 'h', '--port', '65536'], '--port', /^ssh: --port: .*65535/],
  [['ssh', '-H', 'h', '--capability', 'fly'], '--capability', /^ssh: --capability: .*"reboot"/],
  [['ssh', '-H', 'h', 'extra'], null, /^ssh: too many arguments.*\n\(See: trundle backends ssh\)/],
  [['chroot'], 'IMAGE', 'chroot: IMAGE: it must be given'],
  [['unshare', '--map', 'al'], '--map', /^unshare: option '--map <word>' argument 'al' is invalid.*auto, root/],
])('%j is refused, with the option that is to blame', async (words, option, message) => {
  const error = await refusal(words);
  expect(error.name).toBe('BackendOptionError');
  expect(error.backend).toBe(words[0]);
  expect(error.message).toMatch(typeof message === 'string' ? exactly(message) : message);
  expect(error.option).toBe(option);
});

test.each([
  [
    ['--pass-phrase', 'hunter2'],
    ['--pass-phrase', '[redacted]'],
  ],
  [['--pass-phrase=hunter2'], ['--pass-phrase=[redacted]']],
  [['--pass-phrase=hunter2=x\nhunter2'], ['--pass-phrase=[redacted]']],
  [
    ['-P', 'hunter2'],
    ['-P', '[redacted]'],
  ],
  [['-Phunter2'], ['-P[redacted]']],
  [['-kPhunter2'], ['-kP[redacted]']],
  [
    ['-kP', 'hunter2'],
    ['-kP', '[redacted]'],
  ],
  [
    ['-P', '--ratio', '--ratio', '2'],
    ['-P', '[redacted]', '--ratio', '2'],
  ],
])('a secret option is not among the words that are kept: %j', async (given, kept) => {
  const { options, words } = await parse('bookworm', ...given, '--memory', '64');
  expect(words).toEqual(['bookworm', ...kept, '--memory', '64']);
  expect(words.join(' ')).not.toContain('hunter2');
  expect(options.passPhrase).toBeTypeOf('string');
});

test('a value that looks like a secret option is not one', async () => {
  const { words } = await parse('bookworm', '--memory', '64', '--', '-P', 'visible');
  expect(words).toEqual(['bookworm', '--memory', '64', '--', '-P', 'visible']);
});

test('words that are passed through are no options, nor their values secrets', async () => {
  const project = forThisTest(makeProject());
  const text = EVERY_KIND.replace('help: {', 'help: { passThrough: true,');
  const file = writeModule(join(project.directory, 'kinds.mjs'), text);
  const backend = await configureBackend([file, '-P', 'hunter2', 'bookworm', '-P', 'visible']);
  expect(backend.words.slice(1)).toEqual(['-P', '[redacted]', 'bookworm', '-P', 'visible']);
});

test('the complaint about a secret does not repeat it', async () => {
  const project = forThisTest(makeProject());
  const text = EVERY_KIND.replace('passPhrase: z.string().optional()', 'passPhrase: z.number().optional()');
  const file = writeModule(join(project.directory, 'kinds.mjs'), text);
  const { message } = await refusal([file, 'bookworm', '--pass-phrase', 'hunter2']);
  expect(message).toBe('kinds: --pass-phrase: it must be a number');
});

test('the help tells every option with its short form, its kind and its description', async () => {
  const project = forThisTest(makeProject());
  const help = backendHelp(await loadBackend(writeModule(join(project.directory, 'kinds.mjs'), EVERY_KIND)));
  expect(help).toMatch(/^Usage: kinds \[options\] \[image\] \[extra\]$/m);
  expect(help).toMatch(/image +what to boot/);
  expect(help).toMatch(/-m, --memory <number> +mebibytes \(512\)/);
  expect(help).toMatch(/-k, --keep-going/);
  expect(help).not.toContain('--no-keep-going');
  expect(help).toMatch(/--kernel-mode <word> .*"host", "own"/);
  expect(help).toMatch(/-P, --pass-phrase <text> +never written/);
});

test.each(['null', 'ssh', 'chroot', 'unshare'])('every option of %s is described', async (name) => {
  const { options, help } = await loadBackend(name);
  const text = backendHelp(await loadBackend(name)).replaceAll(/\s+/g, ' ');
  for (const [key, type] of Object.entries(options.shape)) {
    const { description = '' } = type as { description?: string };
    expect(description, key).not.toBe('');
    expect(text, key).toContain(description.slice(0, 30));
  }
  const keys = Object.keys(options.shape);
  const named = [...Object.keys(help?.short ?? {}), ...(help?.positional ?? []), ...(help?.secret ?? [])];
  expect(named.filter((key) => !keys.includes(key))).toEqual([]);
});

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

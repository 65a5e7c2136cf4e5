import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/events/index.ts';
import { cli } from './support/cli.ts';

const VERBS = ['run', 'exec', 'shell', 'explain', 'replay', 'inspect', 'compare', 'reap', 'backends'];

describe('the program without a verb', () => {
  test.each(['--version', '-V'])('%s prints the version and nothing else', async (option) => {
    expect(await cli([option])).toEqual({ status: 0, signal: null, stdout: `${VERSION}\n`, stderr: '' });
  });

  test('tells what it is and what it can do', async () => {
    const end = await cli(['--help']);
    expect([end.status, end.stderr]).toEqual([0, '']);
    expect(end.stdout).toMatchSnapshot('help');
    for (const word of ['-h', 'help']) expect(await cli([word])).toEqual(end);
  });

  test('shows its help as an error', async () => {
    const { status, stdout, stderr } = await cli([]);
    expect([status, stdout]).toEqual([20, '']);
    expect(stderr).toContain('Usage: trundle VERB');
  });

  test('suggests the verb that is meant', async () => {
    const { status, stdout, stderr } = await cli(['exce', 'true', '--', 'null']);
    expect([status, stdout]).toEqual([20, '']);
    expect(stderr).toBe(
      `trundle: there is no verb "exce". Did you mean exec? The verbs are ${VERBS.join(', ')}.\n         See: trundle --help\n`,
    );
  });

  test('says that options come after the verb', async () => {
    const { status, stderr } = await cli(['-q', 'run']);
    expect(status).toBe(20);
    expect(stderr).toContain('there is no option -q before a verb');
  });
});

describe.each(VERBS)('trundle %s', (verb) => {
  test('--help tells of it', async () => {
    const [option, word] = await Promise.all([cli([verb, '--help']), cli(['help', verb])]);
    // The verb help says the same.
    expect(word).toEqual(option);
    const { status, stdout, stderr } = option;
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatchSnapshot(verb);
    // A terminal of 80 columns is what one can count on.
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('refuses an option that it does not know', async () => {
    const words = ['run', 'exec', 'shell'].includes(verb) ? [verb, '--jsno', '--', 'null'] : [verb, '--jsno'];
    const { status, stdout, stderr } = await cli(words);
    expect([status, stdout]).toEqual([20, '']);
    expect(stderr).toContain(`trundle ${verb}: unknown option '--jsno'\n`);
    // A page is no document.
    if (verb !== 'inspect') expect(stderr).toContain(`${' '.repeat(verb.length + 10)}Did you mean --json?\n`);
  });
});

describe.each(['run', 'exec', 'shell'])('trundle %s', (verb) => {
  test('tells of a backend', async () => {
    const [here, there] = await Promise.all([cli([verb, '--', 'null', '--help']), cli(['backends', 'null'])]);
    expect(here).toEqual({ ...there, status: 0 });
    expect(here.stdout).toContain('--normal-user');
  });

  test('explains the -- where there is none', async () => {
    const { status, stdout, stderr } = await cli([verb, 'a']);
    expect([status, stdout]).toEqual([20, '']);
    expect(stderr).toContain('the command line has no `--`. What comes before it says what to do');
  });

  test('names what is wrong with a backend', async () => {
    const [none, unknown, option] = await Promise.all([
      cli([verb, 'a', '--']),
      cli([verb, 'a', '--', 'nul']),
      cli([verb, 'a', '--', 'ssh', '--prot', '22']),
    ]);
    // An interactive shell refuses earlier still: there is no terminal here.
    if (verb === 'shell') return expect(unknown.stderr).toContain('needs a terminal');
    expect([none.status, unknown.status, option.status]).toEqual([20, 20, 20]);
    expect(none.stderr).toContain('no backend is named after `--`');
    expect(unknown.stderr).toContain('there is no backend nul');
    expect(option.stderr).toContain("ssh: unknown option '--prot'");
    expect(option.stderr).toContain('Did you mean --port?');
  });
});

describe('trundle backends', () => {
  test('lists those there are, with what this machine lacks for them', async () => {
    const { status, stdout } = await cli(['backends']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^null +this machine itself/);
    expect(stdout).toContain('ready');
  });

  test('prints one document with --json', async () => {
    const { status, stdout } = await cli(['backends', '--json']);
    expect(status).toBe(0);
    const { backends } = JSON.parse(stdout);
    expect(backends).toContainEqual(
      expect.objectContaining({ name: 'null', availability: expect.objectContaining({ available: true }) }),
    );
  });

  test('does not know every name', async () => {
    const { status, stderr } = await cli(['backends', 'nul']);
    expect(status).toBe(20);
    expect(stderr).toContain('there is no backend nul');
  });
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startSshServer } from '../faults/support/sshServer.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { cli, ownState } from './support/cli.ts';

const PASSWORD = 'correct horse battery';

/** Files below a directory that hold a text, as `path`. */
function filesWith(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text))
    .map((file) => file.slice(directory.length + 1));
}

describeWith(['sshd'], 'the password of a testbed', () => {
  test.each([
    ['-P', [PASSWORD]],
    ['--password', [PASSWORD]],
    ['--password=', []],
  ])('given with %s is in no trace, no log and no line, not even where a test says it', async (flag, more) => {
    const sshd = forThisTest(await startSshServer());
    const place = workplace();
    const { host, port } = sshd.address;
    const script = `p='correct horse'; echo "it is $p battery"; p="$p battery"; echo "$p" >&2`;
    const source = makePackage(place, { tests: { blabs: { script, restrictions: 'allow-stderr' } } });
    const env = ownState();
    const words = [
      ...['ssh', '-H', host, '-p', String(port), '-i', sshd.identity, '--host-key', sshd.hostKey],
      ...(more.length > 0 ? [flag, ...more] : [`${flag}${PASSWORD}`]),
    ];
    const trace = join(place, 'trace');
    const out = join(place, 'out');
    const run = await cli(['run', '--debug', '--trace', trace, '-o', out, source, '--', ...words], { env });
    expect(run.status).toBe(0);

    // What the test printed is the test's own: its files, and the copy of them on the terminal and in the log.
    expect(filesWith(out, PASSWORD).toSorted()).toEqual(['blabs-stderr', 'blabs-stdout', 'log']);
    const own = new RegExp(`^(?: *\\d+s )?(?:it is )?${PASSWORD}\n`, 'gm');
    for (const text of [run.stdout, run.stderr, readFileSync(join(out, 'log'), 'utf8')]) {
      expect(text.replaceAll(own, '')).not.toContain(PASSWORD);
    }
    expect(filesWith(trace, PASSWORD)).toEqual([]);
    expect(readFileSync(join(trace, 'events.jsonl'), 'utf8')).toContain('[redacted]');
    expect(filesWith(join(trace, 'streams'), '[redacted]')).toHaveLength(2);
    expect(filesWith(env.XDG_STATE_HOME, PASSWORD)).toEqual([]);
    for (const verb of ['explain', 'replay']) {
      const { status, stdout, stderr } = await cli([verb, trace], { env });
      expect(status).toBe(0);
      expect(`${stdout}${stderr}`).not.toContain(PASSWORD);
    }
  });

  test('is read from a file, and that file is not shown either', async () => {
    const sshd = forThisTest(await startSshServer());
    const place = workplace();
    const file = join(place, 'password');
    writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
    const trace = join(place, 'trace');
    const { host, port } = sshd.address;
    const words = ['ssh', '-H', host, '-p', String(port), '-i', sshd.identity, '--host-key', sshd.hostKey, '-P', file];
    const { status } = await cli(['exec', '--trace', trace, `cat ${file}`, '--', ...words], { env: ownState() });
    expect(status).toBe(0);
    expect(filesWith(trace, PASSWORD)).toEqual([]);
  });
});

describe('a variable given with --secret-env', () => {
  const TOKEN = 'to\'ken of 7 "words"';
  const env = () => ({ ...ownState(), TOKEN });

  test('reaches the tests, and is in no trace and no line of ours', async () => {
    const place = workplace();
    const source = makePackage(place, {
      tests: {
        blabs: { script: 'echo "it is $TOKEN"', restrictions: 'allow-stderr' },
        complains: 'echo "$TOKEN" >&2',
      },
    });
    const state = env();
    const [trace, out] = [join(place, 'trace'), join(place, 'out')];
    const words = [
      'run',
      '--debug',
      '--json',
      '--secret-env',
      'TOKEN',
      '--env',
      'A=1',
      '--trace',
      trace,
      '-o',
      out,
      source,
    ];
    const run = await cli([...words, '--', 'null'], { env: state });
    expect(run.status).toBe(4);
    expect(filesWith(out, TOKEN).toSorted()).toEqual(['blabs-stdout', 'complains-stderr', 'log']);
    expect(readFileSync(join(out, 'summary'), 'utf8')).toContain('complains            FAIL stderr: [redacted]');
    expect(readFileSync(join(out, 'testinfo.json'), 'utf8')).toContain('"TOKEN=[redacted]"');
    const own = (text: string) => text.replaceAll(/^(?: *\d+s )?(?:it is )?to'ken of 7 "words"\n/gm, '');
    for (const text of [run.stdout, run.stderr, readFileSync(join(out, 'log'), 'utf8')]) {
      expect(own(text)).not.toMatch(/ken of 7/);
    }
    for (const directory of [trace, state.XDG_STATE_HOME]) expect(filesWith(directory, 'ken of 7')).toEqual([]);
    expect(readFileSync(join(trace, 'events.jsonl'), 'utf8')).toContain('[redacted]');
    expect((await cli(['replay', trace], { env: state })).status).toBe(0);
  });

  test('reaches a command, and is in no trace of it', async () => {
    const trace = join(workplace(), 'trace');
    const words = ['exec', '--secret-env=TOKEN', '--trace', trace, 'echo "$TOKEN"; nosuch "$TOKEN"', '--', 'null'];
    const end = await cli(words, { env: env() });
    expect(end).toMatchObject({ status: 127, stdout: `${TOKEN}\n` });
    expect(filesWith(trace, 'ken of 7')).toEqual([]);
  });

  test.each(['run', 'exec'])('must be there for trundle %s, and is named without its value', async (verb) => {
    const absent = await cli([verb, '--secret-env', 'NO_SUCH', './x', '--', 'null'], { env: env() });
    expect([absent.status, absent.stdout]).toEqual([20, '']);
    expect(absent.stderr).toContain('--secret-env NO_SUCH: there is no such variable in the environment');
    const valued = await cli([verb, '--secret-env', 'TOKEN=x', './x', '--', 'null'], { env: env() });
    expect(valued.status).toBe(20);
    expect(valued.stderr).toContain('Expected the name of a variable, without its value.');
  });
});

import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Testbed } from '../../src/testbed/index.ts';
import { onEveryServer, publicPlace } from './support/openHost.ts';

onEveryServer('the environment of a command', [], (host) => {
  test('gets variables that AcceptEnv of sshd would refuse', async () => {
    const env = { AUTOPKGTEST_TMP: '/tmp/x y', LD_DEBUG_OUTPUT: '/nowhere', debian_chroot: "it's $HOME", EMPTY: '' };
    expect(await variables(host.testbed, env)).toMatchObject(env);
  });

  // To a shell these are not mere variables: it would refuse them, count on them or go by them itself.
  test.each([
    'UID',
    'PWD',
    'OLDPWD',
    'SHLVL',
    'PPID',
    'IFS',
    'OPTIND',
    'RANDOM',
    'LINENO',
    'BASH_ENV',
    'ENV',
    '_',
    'PS4',
  ])('gets %s as it was given', async (name) => {
    expect(await variables(host.testbed, { [name]: 'a b\n"c"' })).toMatchObject({ [name]: 'a b\n"c"' });
  });

  test('finds its program by the PATH that it is given', async () => {
    const directory = publicPlace();
    await host.testbed.exec(
      'printf "#!/bin/sh\\necho found\\n" >"$1/our-program"; chmod +x "$1/our-program"'.replaceAll('$1', directory),
    );
    const { stdout } = await host.testbed.exec(['our-program'], { env: { PATH: `${directory}:/usr/bin:/bin` } });
    expect(stdout).toBe('found\n');
  });

  test('does not reach the next command', async () => {
    await host.testbed.exec(['true'], { env: { LEFTOVER: '1' } });
    expect(await variables(host.testbed, {})).not.toHaveProperty('LEFTOVER');
  });

  test.each(['A-B', '1A', '', 'A=B', 'A B', 'ä'])('refuses %j as a name of a variable', async (name) => {
    await expect(host.testbed.exec(['true'], { env: { [name]: 'x' } })).rejects.toThrow(/is not a name for a variable/);
  });
});

onEveryServer('the working directory of a command', [], (host) => {
  test.each(['-', '-P', '--', '+1', '~', 'a b', 'new\nline', 'ü€', '$HOME', "it's", '*', '\\', '!!', '%s'])(
    'may be called %j',
    async (name) => {
      const directory = join(publicPlace(), name);
      mkdirSync(directory);
      const { stdout } = await host.testbed.exec(['readlink', '-n', '/proc/self/cwd'], { cwd: directory });
      expect(stdout).toBe(realpathSync(directory));
    },
  );

  test('may be named from the login directory on, also by a name that looks like an option', async () => {
    const name = `-trundle-${process.pid}`;
    await host.testbed.exec(['mkdir', '--', name]);
    try {
      const { stdout } = await host.testbed.exec('basename -- "$PWD"', { cwd: name });
      expect(stdout).toBe(`${name}\n`);
    } finally {
      await host.testbed.exec(['rmdir', '--', name]);
    }
  });

  test('that does not exist fails the command, and stderr names it', async () => {
    const gone = join(publicPlace(), 'no such place');
    const { status, stderr, stdout } = await host.testbed.exec(['echo', 'ran'], { cwd: gone });
    expect(status).toBe(127);
    expect(stderr).toContain(gone);
    expect(stdout).toBe('');
  });

  test('without a name is refused', async () => {
    await expect(host.testbed.exec(['true'], { cwd: '' })).rejects.toThrow('the working directory has no name');
  });
});

async function variables(testbed: Testbed, env: Record<string, string>): Promise<Record<string, string>> {
  const { stdout } = await testbed.exec(['env', '-0'], { env });
  return Object.fromEntries(
    stdout
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

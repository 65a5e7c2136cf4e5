import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Testbed } from '../../src/testbed/index.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { describeWith, findProgram, type Need } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { alsoDisposing, endpointOf, hostAt, onEveryServer, openHost, sharedHost } from './support/openHost.ts';

/** What shells make something of, alone and in company, among plain characters. */
const NASTY = `'"\\\`$!*?[]{}()<>|&;#~=%^-+@:,./ \t\n\r\u0001\u001b\u007faZ0äß€𝄞\u202e`;

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom(...NASTY), maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll(/\0|\p{Surrogate}/gu, '')),
  fc.constantFrom(
    '',
    '-',
    '--',
    '-n',
    '-e',
    '-c',
    '--help',
    '=ls',
    '~',
    '$HOME',
    '$(id)',
    '!!',
    "it's",
    '\\',
    '\\n',
    '{a,b}',
    '\n\n',
  ),
);

/** Login shells that read the line which sshd hands to them each in their own way. */
const SHELLS: readonly { shell: string; needs: readonly Need[] }[] = [
  { shell: 'dash', needs: ['dash'] },
  { shell: 'bash', needs: ['bash'] },
  { shell: 'tcsh', needs: ['tcsh'] },
  { shell: 'fish', needs: ['fish'] },
];

for (const { shell, needs } of SHELLS) {
  describeWith(['sshd', 'root', 'useradd', ...needs], `where the login shell is ${shell}`, () => {
    const host = sharedHost(async () => {
      const user = makeOrdinaryUser({ shell: findProgram(shell) ?? shell });
      const sshd = await startSshServer();
      const opened = await openHost(hostAt(endpointOf(sshd, { login: user.login })));
      return alsoDisposing(alsoDisposing(opened, sshd), user);
    });

    test('every argument reaches the program as it is', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
          expect(await echoed(host.testbed, words)).toEqual(words);
        }),
        { numRuns: 40 },
      );
    });

    test('every variable reaches the program as it is', async () => {
      await fc.assert(
        fc.asyncProperty(word, async (value) => {
          const { stdout } = await host.testbed.exec('printf "%s." "$OURS"', { env: { OURS: value } });
          expect(stdout).toBe(`${value}.`);
        }),
        { numRuns: 20 },
      );
    });

    test('a line is read by /bin/sh all the same', async () => {
      const line = 'for i in 1 2; do echo "$i! \\\\ $((i + 1))"; done\n[ -n "$BASH_VERSION" ] || echo "it\'s sh"';
      expect(await host.testbed.exec(line)).toMatchObject({ status: 0, stdout: "1! \\ 2\n2! \\ 3\nit's sh\n" });
    });

    test('the whole process group is known, and ended when time is up', async () => {
      const running = host.testbed.start('sleep 1000000 & sleep 1000000', { timeout: 300 });
      running.stdout.resume();
      running.stderr.resume();
      expect((await running.ended).result).toMatchObject({ kind: 'timed-out' });
      const { pid } = await host.log.first('command.started', ({ command }) => command === running.command);
      expect(pid).toBeGreaterThan(1);
      expect(await host.testbed.exec(['pgrep', '--runstates', 'RSDT', '-g', String(pid)])).toMatchObject({
        status: 1,
        stdout: '',
      });
    });
  });
}

onEveryServer('a command', [], (host) => {
  test.each(['-program', '=program', 'a=b', '-x=y', "it's", 'new\nline', '$HOME', 'ü'])(
    'may be called %j',
    async (name) => {
      const script =
        'd=$(mktemp -d); printf "#!/bin/sh\\nprintf %%s. \\"$%s\\"" @ >"$d/$1"; chmod +x "$d/$1"; echo "$d"';
      const { stdout } = await host.testbed.exec(['/bin/sh', '-c', script, 'sh', name]);
      const directory = stdout.trim();
      const env = { PATH: `${directory}:/usr/bin:/bin` };
      expect(await host.testbed.exec([name, 'a b', '-c'], { env })).toMatchObject({ status: 0, stdout: 'a b.-c.' });
      await host.testbed.exec(['rm', '-r', directory]);
    },
  );

  test('that no command line can hold is refused with the reason', async () => {
    const { testbed } = host;
    await expect(testbed.exec([])).rejects.toThrow('there is no program to run');
    await expect(testbed.exec(['echo', 'a\0b'])).rejects.toThrow('NUL');
    await expect(testbed.exec(['echo', '\ud800'])).rejects.toThrow('surrogate');
    await expect(testbed.exec(['echo', 'x'.repeat(1024 * 1024)])).rejects.toMatchObject({
      cause: {
        class: 'channel-refused',
        detail: expect.stringMatching(/too long: .* 104\d{4} of 131071 bytes; hand .* stdin/),
      },
    });
    // Nothing is wrong with the testbed.
    expect(await testbed.exec(['echo', 'x'.repeat(100_000)])).toMatchObject({ status: 0 });
  });
});

async function echoed(testbed: Testbed, words: readonly string[]): Promise<string[]> {
  const { stdout } = await testbed.exec(['/bin/sh', '-c', 'for w; do printf "%s\\0" "$w"; done', 'sh', ...words]);
  return stdout.split('\0').slice(0, -1);
}

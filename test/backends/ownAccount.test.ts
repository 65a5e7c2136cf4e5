import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith, NSS_WRAPPER } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { makeOrdinary, type Ordinary } from './support/ordinary.ts';

/** A number that no account has. */
const UID = 2_000_054_321;

let ordinary: Ordinary;
beforeAll(() => {
  ordinary = makeOrdinary({ subuids: false });
});
afterAll(() => ordinary[Symbol.dispose]());

/** Lets everybody look into a directory. */
function open(directory: string): string {
  chmodSync(directory, 0o755);
  return directory;
}

/** A directory that belongs to the number. */
function theirs(): string {
  const directory = join(open(workplace()), 'theirs');
  mkdirSync(directory);
  chownSync(directory, UID, UID);
  return directory;
}

/** Runs the program as the number, with nothing in its environment that names a user. */
async function asNumber(words: readonly string[], env: Readonly<Record<string, string>>) {
  const as = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', '--'];
  const without = ['env', '-u', 'USER', '-u', 'LOGNAME', ...(env.HOME === undefined ? ['-u', 'HOME'] : [])];
  return await ordinary.run(words, { TMPDIR: '/tmp', ...env }, [...without, ...as]);
}

describeWith(
  ['root', 'prlimit'],
  'a process of a user of whom this machine knows nothing, as in some containers',
  () => {
    test('runs tests as that user, who is at home where HOME says and is called by their number', async () => {
      const home = theirs();
      const script = `#!/bin/sh -e\n[ "$(id -u)" = ${UID} ]; [ "$HOME" = "${home}" ]; [ "$USER" = ${UID} ]; echo well\n`;
      const source = makePackage(home, { tests: { own: script } });
      const { status, stdout, stderr } = await asNumber(['run', '-B', source, '--', 'null'], { HOME: home });
      expect({ status, stdout }, stderr).toMatchObject({ status: 0, stdout: expect.stringMatching(/^own +PASS$/m) });
    });

    test('is told to say who logs in elsewhere', async () => {
      const { status, stderr } = await asNumber(['exec', 'true', '--', 'ssh', '--hostname', 'localhost'], {
        HOME: theirs(),
      });
      expect(status).toBe(16);
      expect(stderr).toContain(`uid ${UID}, as which trundle runs, is nobody's here`);
      expect(stderr).toContain('--login NAME');
    });

    test('is told what testbeds there are', async () => {
      const { status, stdout } = await asNumber(['backends'], { HOME: theirs() });
      expect(status).toBe(0);
      expect(stdout).not.toContain('its probe failed');
      expect(stdout).toContain(`no subordinate ids for ${UID}`);
      expect(stdout).toContain(`useradd --uid ${UID} NAME`);
    });

    test('without a home is told where it cannot write, and what to do', async () => {
      const { status, stderr } = await asNumber(['exec', 'true', '--', 'null'], {});
      expect(status).not.toBe(0);
      expect(stderr).not.toContain('internal error');
      expect(stderr).toContain('XDG_STATE_HOME');
      expect(await asNumber(['exec', 'echo $HOME', '--', 'null'], { XDG_STATE_HOME: theirs() })).toMatchObject({
        status: 0,
        stdout: '/\n',
      });
    });
  },
);

describeWith(
  ['root', 'prlimit', 'nss-wrapper'],
  'an account that this machine has elsewhere than in /etc/passwd',
  () => {
    /** The environment in which the C library knows one more account and a group of its. */
    function directoryService(home: string): Record<string, string> {
      const place = open(workplace());
      const [passwd, group] = [join(place, 'passwd'), join(place, 'group')];
      writeFileSync(passwd, `root:x:0:0:root:/root:/bin/sh\nfaraway:x:${UID}:${UID}::${home}:/bin/sh\n`);
      writeFileSync(group, `root:x:0:\nfaraway:x:${UID}:\nmembers:x:${UID + 1}:faraway\n`);
      return { LD_PRELOAD: NSS_WRAPPER ?? '', NSS_WRAPPER_PASSWD: passwd, NSS_WRAPPER_GROUP: group };
    }

    test('is that of a process as any other', async () => {
      const home = theirs();
      const env = { ...directoryService(home), XDG_STATE_HOME: home };
      const { status, stdout, stderr } = await asNumber(['exec', 'echo "$USER $HOME $SHELL"; pwd', '--', 'null'], env);
      expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: `faraway ${home} /bin/sh\n${home}\n` });
    });

    test('can be had by root for tests, with its groups', async () => {
      const home = theirs();
      const env = { ...directoryService(home), XDG_STATE_HOME: home };
      const words = ['exec', '--user', 'faraway', 'echo "$USER $HOME"; id -u; id -G', '--', 'null'];
      const { status, stdout, stderr } = await ordinary.run(words, env, ['env']);
      expect({ status, stdout }, stderr).toEqual({ status: 0, stdout: `faraway ${home}\n${UID}\n${UID} ${UID + 1}\n` });
    });

    test('that is nowhere is refused by its name', async () => {
      const home = theirs();
      const env = { ...directoryService(home), XDG_STATE_HOME: home };
      const { status, stderr } = await ordinary.run(['exec', 'true', '--', 'null', '--user', 'nowhere'], env, ['env']);
      expect(status).toBe(16);
      expect(stderr).toContain('nobody can log in here as nowhere');
    });
  },
);

import { describe, expect, it } from 'vitest';
import { Apt } from '../../../src/runner/dependencies/Apt.ts';
import type { Steps } from '../../../src/runner/session/Steps.ts';

/** What one apt-get printed, and whether it had begun to install. */
interface Said {
  readonly stdout: string;
  readonly installing?: boolean;
}

const ARCHIVES =
  'E: Could not get lock /var/cache/apt/archives/lock. It is held by process 27 (apt-get)\nE: Unable to lock directory /var/cache/apt/archives/\nE: Failed to process build dependencies\n';
const FRONTEND =
  'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 27 (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n';
const LITTLE_ROOM = "E: You don't have enough free space in /var/cache/apt/archives/.\n";
const NO_ROOM =
  "dpkg: error processing archive gdb.deb (--unpack):\n cannot copy extracted data for './x' to '/x.dpkg-new': failed to write (No space left on device)\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n";

/** Has apt install something in a testbed where each apt-get says one of these, and those after them succeed. */
async function install(said: readonly Said[], lockTimeout = 300_000) {
  const left = [...said];
  let pauses = 0;
  const steps = {
    show: async () => {
      const next = left.shift();
      if (next === undefined) return { status: 0, signal: null, stdout: '', stderr: '' };
      const stderr = next.installing === true ? 'pmstatus:gdb:20:Preparing gdb\n' : '';
      return { status: 100, signal: null, stdout: next.stdout, stderr };
    },
    pause: async () => {
      pauses += 1;
    },
    failed: (_doing: string, _phase: string, detail: string) => new Error(detail),
  };
  const apt = new Apt({ steps: steps as unknown as Steps, eatmydata: false, lockTimeout });
  const end = await apt.insist('installing', ['satisfy', 'gdb']).catch((error: Error) => ({ failed: error.message }));
  return { end, pauses };
}

describe('apt in a testbed', () => {
  it('waits while somebody else has its locks', async () => {
    const { end, pauses } = await install(Array(12).fill({ stdout: ARCHIVES }));
    expect(end).toEqual({ kind: 'done' });
    expect(pauses).toBe(12);
  });

  it('is not the package that fails where the locks are never given back', async () => {
    const { end } = await install(Array(12).fill({ stdout: ARCHIVES }), 60_000);
    expect(end).toEqual({
      failed: expect.stringMatching(/^something else in the testbed works with apt.*archives\/lock/),
    });
  });

  it('has waited for the locks of dpkg already', async () => {
    const { end, pauses } = await install([{ stdout: FRONTEND }]);
    expect(end).toEqual({ failed: expect.stringContaining('held by process 27') });
    expect(pauses).toBe(0);
  });

  it.each([
    ['what it fetches', { stdout: LITTLE_ROOM }],
    ['what it unpacks', { stdout: NO_ROOM, installing: true }],
  ])('tells that the testbed has no room for %s', async (_what, said) => {
    expect((await install([said])).end).toEqual({ failed: expect.stringMatching(/^No space left on device: /) });
  });

  it.each([
    ['a package calls apt itself', { stdout: FRONTEND, installing: true }],
    [
      'says that there is no room',
      { stdout: 'tee: /dev/full: No space left on device\nE: Sub-process\n', installing: true },
    ],
    [
      'may not open a lock',
      { stdout: 'E: Could not open lock file /var/lib/dpkg/lock - open (13: Permission denied)\n' },
    ],
  ])('refuses where %s', async (_what, said) => {
    expect((await install([said])).end).toMatchObject({ kind: 'refused' });
  });
});

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { LauncherLost } from '../../src/standin/launching/contract.ts';
import { Launcher } from '../../src/standin/launching/Launcher.ts';
import { openHost } from '../driver/support/openHost.ts';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';

const REQUEST = { argv: ['/bin/cat'], env: {}, cwd: '/', account: null };

describeWith(['perl', 'bash'], 'a launcher', () => {
  test('is one process for all commands of a stand-in, and goes with it', async () => {
    const before = launchers();
    const host = await openHost(await configureBackend(['null']));
    await Promise.all(Array.from({ length: 20 }, () => host.testbed.exec(['true'])));
    expect(launchers().length - before.length).toBe(1);
    await host[Symbol.asyncDispose]();
    expect(launchers()).toEqual(before);
  });

  test('that is killed takes its commands with it: the connection is lost, and no exit status is made up', async () => {
    const before = launchers();
    const lifeline = forThisTest(makeLifeline(workplace()));
    const host = forThisTest(await openHost(await configureBackend(['null'])));
    const running = host.testbed.exec(lifeline.linger);
    const lost = expect(running).rejects.toMatchObject({
      result: { kind: 'lost' },
      cause: { class: 'connection-closed' },
    });
    await lifeline.held;
    const [launcher = 0] = launchers().filter((pid) => !before.includes(pid));
    process.kill(launcher, 'SIGKILL');
    await lost;
    await lifeline.released;
  });

  test('that is killed has a successor', async () => {
    const before = launchers();
    const host = forThisTest(await openHost(await configureBackend(['null'])));
    await host.testbed.exec(['true']);
    const [first = 0] = launchers().filter((pid) => !before.includes(pid));
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(launchers().filter((pid) => pid !== first && !before.includes(pid))).toHaveLength(1));
    expect(await host.testbed.exec('exit 7')).toMatchObject({ status: 7 });
  });

  test('hands on no descriptor that this process was started with', async () => {
    // Without close-on-exec, as some programs leave them: here a shell, which Node.js then does not close.
    const look = 'ls /proc/self/fd | sort -n | tail -n 2 | head -n 1';
    const trundle = `import { configureBackend, openTestbed } from './src/index.ts';
      const testbed = await openTestbed(await configureBackend(['null']));
      console.log((await testbed.exec(${JSON.stringify(look)})).stdout.trim());
      await testbed.close();`;
    const node = ['node', '--import', 'tsx', '--input-type=module', '-e', trundle];
    const { stdout } = await promisify(execFile)('bash', ['-c', 'exec 251</dev/null; "$@"', 'bash', ...node]);
    expect(stdout).toBe('2\n');
  });

  test('refuses what comes after its end', async () => {
    const launcher = await Launcher.start(null);
    const cat = await launcher.launch(REQUEST);
    await launcher.close();
    await expect(cat.ended).rejects.toBeInstanceOf(LauncherLost);
    await expect(launcher.launch(REQUEST)).rejects.toBeInstanceOf(LauncherLost);
  });

  test('says of a program that cannot be started what the system says, and 127', async () => {
    const launcher = await Launcher.start(null);
    const none = await launcher.launch({ ...REQUEST, argv: ['/no/such/program'] });
    const [said] = await none.stderr.toArray();
    expect(`${said}`).toBe('trundle: /no/such/program: No such file or directory\n');
    expect(await none.ended).toEqual({ status: 127, signal: null });
    await launcher.close();
  });

  test('does not start where it cannot go', async () => {
    const nowhere = { namespaces: ['/no/such/namespace'], root: null };
    await expect(Launcher.start(nowhere)).rejects.toThrow('/no/such/namespace: No such file or directory');
    await expect(Launcher.start({ namespaces: ['/dev/null'], root: null })).rejects.toThrow('setns: Invalid argument');
    await expect(Launcher.start({ namespaces: [], root: '/no/such/root' })).rejects.toThrow('chroot: ');
  });
});

test('a machine without a perl has the stand-in all the same', async () => {
  const before = launchers();
  vi.stubEnv('PATH', workplace());
  try {
    const said: string[] = [];
    const log = (message: string) => void said.push(message);
    const host = forThisTest(await openHost(await configureBackend(['null']), { log }));
    const results = ['exit 3', 'kill -9 $$', 'cat; echo e >&2'].map((line) => host.testbed.exec(line, { stdin: 'x' }));
    expect(await Promise.all(results)).toMatchObject([
      { status: 3 },
      { status: null, signal: 'KILL' },
      { status: 0, stdout: 'x', stderr: 'e\n' },
    ]);
    expect(launchers()).toEqual(before);
    expect(said).toContain('commands are started without a launcher');
  } finally {
    vi.unstubAllEnvs();
  }
});

/** Children of this process that start commands. */
function launchers(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.filter((pid) => pid !== '' && nameOf(pid).startsWith('trundle: starts commands')).map(Number);
}

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It has just ended.
    return '';
  }
}

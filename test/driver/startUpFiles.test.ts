import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { startSshServer } from '../faults/support/sshServer.ts';
import { describeWith, findProgram } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { forThisTest } from '../support/workplace.ts';
import { endpointOf, hostAt, type OpenHost, openHost } from './support/openHost.ts';

/** A testbed whose login has this start-up file, and everything that its driver logged. */
async function withStartUpFile(
  shell: string,
  file: string,
  content: string,
): Promise<OpenHost & { readonly logged: { message: string; fields?: Record<string, unknown> | undefined }[] }> {
  const user = forThisTest(makeOrdinaryUser({ shell: findProgram(shell) ?? shell }));
  writeFileSync(join(user.home, file), content);
  // The first SetEnv holds: bash is a login's own shell here, and reads its start-up file.
  const sshd = forThisTest(await startSshServer(['SetEnv OURS=1']));
  const logged: { message: string; fields?: Record<string, unknown> | undefined }[] = [];
  const log = (message: string, fields?: Record<string, unknown>) => void logged.push({ message, fields });
  const host = forThisTest(await openHost(hostAt(endpointOf(sshd, { login: user.login })), { log }));
  return Object.assign(host, { logged });
}

const CHATTY = 'echo out of order; echo out of order >&2\n';

describeWith(['sshd', 'root', 'useradd', 'bash'], 'what a start-up file of bash prints', () => {
  test('is no part of what a command prints, on neither stream, and is logged', async () => {
    const { testbed, logged } = await withStartUpFile('bash', '.bashrc', CHATTY);
    for (const command of ['echo out; echo err >&2; exit 3', ['sh', '-c', 'echo out; echo err >&2; exit 3']]) {
      expect(await testbed.exec(command)).toMatchObject({ status: 3, stdout: 'out\n', stderr: 'err\n' });
    }
    expect(await testbed.exec('true')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    for (const stream of ['stdout', 'stderr']) {
      expect(logged).toContainEqual({
        message: 'the login shell printed before the command',
        fields: expect.objectContaining({ stream, noise: 'out of order\n' }),
      });
    }
  });

  test('is none either where it has bash print all that it does', async () => {
    const { testbed } = await withStartUpFile('bash', '.bashrc', `${CHATTY}set -x\n`);
    // The first command tells what the login shell is; the second is handed to it directly.
    expect(await testbed.exec('echo err >&2')).toMatchObject({ stdout: '', stderr: 'err\n' });
    expect(await testbed.exec('echo err >&2')).toMatchObject({ stdout: '', stderr: 'err\n' });
  });

  test('does not hold up a command that prints on one stream only', async () => {
    const { testbed } = await withStartUpFile('bash', '.bashrc', CHATTY);
    const running = testbed.start('echo ready >&2; exec sleep 1000000', { signal: AbortSignal.timeout(60_000) });
    running.stdout.resume();
    const [first] = await running.stderr.take(1).toArray();
    expect(String(first)).toBe('ready\n');
    await testbed.exec('true');
  });

  test('is what there is to tell where it ends the login, on either stream', async () => {
    const { testbed } = await withStartUpFile('bash', '.bashrc', 'echo not today; echo come back later >&2; exit 1\n');
    for (let tries = 0; tries < 8; tries += 1) {
      const end = { status: 1, stdout: 'not today\n', stderr: 'come back later\n' };
      expect(await testbed.exec('true')).toMatchObject(end);
    }
  });

  test('comes first on a terminal, which has one stream only', async () => {
    const { testbed } = await withStartUpFile('bash', '.bashrc', 'echo "early" >&2\n');
    const said: Buffer[] = [];
    const stdout = new Writable({ write: (chunk, _encoding, done) => done(void said.push(chunk)) });
    const size = { columns: 80, rows: 24 };
    await testbed.shell({ line: 'echo out; echo err >&2', stdin: Readable.from([]), stdout, size, term: 'xterm' });
    expect(Buffer.concat(said).toString()).toBe('out\r\nerr\r\n');
  });
});

describeWith(['sshd', 'root', 'useradd', 'tcsh'], 'what a start-up file of tcsh prints', () => {
  test('is no part of what a command prints', async () => {
    const { testbed } = await withStartUpFile('tcsh', '.cshrc', 'echo out of order\nsh -c "echo out of order >&2"\n');
    expect(await testbed.exec('echo out; echo err >&2')).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
  });
});

describeWith(['sshd', 'root', 'useradd', 'bash'], 'what a start-up file of bash leaves running', () => {
  const JOBS = 'sleep 1000000 </dev/null >/dev/null 2>&1 &\n{ sleep 1000000; true; } </dev/null >/dev/null 2>&1 &\n';

  test('is not said to be left behind by a command, and goes with it all the same', async () => {
    const { testbed } = await withStartUpFile('bash', '.bashrc', JOBS);
    for (let each = 0; each < 2; each += 1) {
      const { stdout, leaked } = await testbed.exec('echo $$', { sweep: true });
      expect(leaked).toBe(false);
      // Those that have ended stay listed where nobody collects them.
      const gone = `while pgrep -g ${stdout.trim()} -r R,S,D; do sleep 0.05; done`;
      expect(await testbed.exec(gone)).toMatchObject({ status: 0 });
    }
  });

  test('does not hide what the command leaves', async () => {
    const { testbed } = await withStartUpFile('bash', '.bashrc', JOBS);
    const { leaked } = await testbed.exec('sleep 1000000 </dev/null >/dev/null 2>&1 &', { sweep: true });
    expect(leaked).toBe(true);
  });
});

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { shellWords } from '../../src/backends/ssh/shellWords.ts';
import { makeInetdServer } from '../contract/support/inetdServer.ts';
import { type SshServer, startSshServer } from '../faults/support/sshServer.ts';
import { vacantAddress } from '../support/badServers.ts';
import { describeWith, findProgram } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

describe('where the SSH server is', () => {
  test.each([
    { given: [] },
    { given: ['--hostname', 'a', '--socket', '/b'] },
    { given: ['--hostname', 'a', '--command', 'sshd -i'] },
    { given: ['--hostname', 'a', '--socket', '/b', '--command', 'sshd -i'] },
  ])('must be said in exactly one way, not by $given', async ({ given }) => {
    await expect(configureBackend(['ssh', ...given])).rejects.toMatchObject({
      name: 'BackendOptionError',
      message: 'ssh: exactly one of --hostname, --socket and --command says where the SSH server is',
    });
  });

  test.each([
    [`nsenter 'a b`, "the quote ' at character 9 is never closed"],
    ['nsenter "a\\"', 'the quote " at character 9 is never closed'],
    ['nsenter \\', 'it ends in a backslash'],
    ['  ', 'it names no program'],
  ])('is no command: %j', async (command, what) => {
    await expect(configureBackend(['ssh', '--command', command])).rejects.toMatchObject({
      name: 'BackendOptionError',
      option: '--command',
      message: `ssh: --command: ${what}`,
    });
  });
});

describe('how long it may take until one is let in', () => {
  const words = async () => {
    const { host, port } = forThisTest(await vacantAddress()).address;
    return ['ssh', '-H', `root@${host}`, '-p', String(port), '--host-key', 'SHA256:x', '--timeout-ssh', '0.3'];
  };

  test('is what --timeout-ssh says', async () => {
    const { log, ...refused } = await refusal(await words());
    expect(refused).toMatchObject({ phase: 'ssh-ready' });
    expect(await log.first('testbed.requested')).toMatchObject({ deadlines: { 'ssh-ready': 300 } });
    expect(await log.first('deadline.expired', ({ deadline }) => deadline === 'ssh-ready')).toMatchObject({
      after: 300,
    });
    expect(await log.first('endpoint.announced')).toMatchObject({ endpoint: { login: 'root' } });
  });

  test('is what the run says, where it says so', async () => {
    const { log } = await refusal(await words(), { deadlines: { 'ssh-ready': 200 } });
    expect(await log.first('deadline.expired', ({ deadline }) => deadline === 'ssh-ready')).toMatchObject({
      after: 200,
    });
  });
});

describe('a command', () => {
  test.each([
    ['sshd -i', ['sshd', '-i']],
    ['  sshd\t-i\n', ['sshd', '-i']],
    [`'/a place/sshd' -i`, ['/a place/sshd', '-i']],
    [`"/a place"/sshd`, ['/a place/sshd']],
    ['/a\\ place/sshd', ['/a place/sshd']],
    [`sh -c 'exec "$0" -i' sshd`, ['sh', '-c', 'exec "$0" -i', 'sshd']],
    [`a '' "" b`, ['a', '', '', 'b']],
    [`"a\\"b\\\\c\\d\\$e"`, ['a"b\\c\\d$e']],
    ['$HOME ~ * #x', ['$HOME', '~', '*', '#x']],
  ])('is split into words as a shell would, with nothing expanded: %j', (text, words) => {
    expect(shellWords(text)).toEqual(words);
  });

  test('is split as sh splits it, whatever the quotes', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\t', "'", '"', '\\'), maxLength: 12 });
    fc.assert(
      fc.property(texts, (text) => {
        const ours = wordsOrNull(text);
        fc.pre(ours !== null || !/\\$/.test(text));
        expect(ours).toEqual(wordsOfSh(text));
      }),
      { numRuns: 150 },
    );
  });
});

describeWith(['sshd'], 'a command', () => {
  test('may be a program in a place with spaces, with arguments of several words', async () => {
    const server = forThisTest(await makeInetdServer());
    const place = join(workplace(), "it's a place");
    mkdirSync(place);
    const program = join(place, 'my sshd');
    writeFileSync(program, `#!/bin/sh\n[ "$2" = "two words" ] || exit 9\nexec ${server.argv.join(' ')}\n`);
    chmodSync(program, 0o755);
    const command = `"${program}" --why 'two words'`;
    const { testbed } = await open(['ssh', '--command', command, ...loginWords(server)]);
    expect(testbed.endpoint.via).toEqual({ kind: 'process', argv: [program, '--why', 'two words'] });
    expect((await testbed.exec('echo reached')).stdout).toBe('reached\n');
  });

  test.each([
    ['no-such-server -i', 'there is no program no-such-server on this machine'],
    ['/no/such/server -i', '/no/such/server cannot be run: ENOENT'],
    ['/etc/passwd -i', '/etc/passwd cannot be run: EACCES'],
  ])('that cannot be run is told before anything is dialled: %s', async (command, what) => {
    const server = forThisTest(await makeInetdServer());
    const { code, message, class: kind, log } = await refusal(['ssh', '--command', command, ...loginWords(server)]);
    expect({ code, kind }).toEqual({ code: 'program-missing', kind: 'provision-failed' });
    expect(message).toContain(`--command: ${what}`);
    expect(log.all('dial.started')).toEqual([]);
  });
});

describeWith(['sshd', 'ssh-keygen'], 'an identity', () => {
  test('that is not there is told before anything is dialled', async () => {
    const server = forThisTest(await startSshServer());
    const { code, message, remedy, class: kind, log } = await refusal(words(server, '--identity', '/no/such/key'));
    expect({ code, kind }).toEqual({ code: 'no-identity', kind: 'provision-failed' });
    expect(message).toMatch(/^the identity \/no\/such\/key cannot be read: ENOENT/);
    expect(remedy).toContain('--identity');
    expect(log.all('dial.started')).toEqual([]);
  });

  test('that cannot be read is told too', async () => {
    const server = forThisTest(await startSshServer());
    const { code, message } = await refusal(words(server, '--identity', workplace()));
    expect(code).toBe('no-identity');
    expect(message).toMatch(/cannot be read: EISDIR/);
  });

  test('with a passphrase is not offered, and the refusal says why', async () => {
    const server = forThisTest(await startSshServer());
    const file = keyWithPassphrase();
    const { class: kind, log } = await refusal(words(server, '--identity', file));
    expect(kind).toBe('auth-refused');
    const refused = await log.first('auth.refused');
    expect(refused.message).toMatch(/private key 1 was not offered: .*(encrypted|passphrase)/i);
  });

  test('that works is found after others that do not', async () => {
    const server = forThisTest(await startSshServer());
    const identities = ['--identity', keyWithPassphrase(), '--identity', server.identity];
    const { log } = await open(words(server, ...identities));
    expect(await log.first('auth.accepted')).toMatchObject({ method: 'publickey' });
  });

  test('of the user is offered where none is named', async () => {
    const server = forThisTest(await startSshServer());
    const home = workplace();
    mkdirSync(join(home, '.ssh', 'id_rsa'), { recursive: true });
    writeFileSync(join(home, '.ssh', 'id_ed25519'), readFileSync(server.identity), { mode: 0o600 });
    stub('HOME', home);
    const said: string[] = [];
    await open(words(server), { log: (message) => said.push(message) });
    // What cannot be read is no reason to stop, but somebody may wonder.
    expect(said.join('\n')).toContain(`the identity ${join(home, '.ssh', 'id_rsa')} cannot be read: EISDIR`);
  });
});

describeWith(['sshd', 'ssh-agent', 'ssh-keygen'], "an agent's key", () => {
  test('is taken where SSH_AUTH_SOCK leads to an agent, and left alone with --no-agent', async () => {
    const server = forThisTest(await startSshServer());
    stub('HOME', workplace());
    stub('SSH_AUTH_SOCK', await agentWith(server.identity));
    const { testbed, log } = await open(loginless(server));
    expect(await log.first('auth.accepted')).toMatchObject({ method: 'agent' });
    await testbed.close();
    expect((await refusal([...loginless(server), '--no-agent'])).class).toBe('auth-refused');
  });
});

describeWith(['sshd', 'root', 'useradd', 'openssl'], 'a password', () => {
  const PASSWORD = 'correct horse battery staple';

  test.each([
    { from: 'the command line', write: () => PASSWORD },
    {
      from: 'a file',
      write: () => {
        const file = join(workplace(), 'password');
        writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
        return file;
      },
    },
  ])('from $from is used, and appears in nothing that is kept', async ({ write }) => {
    const user = forThisTest(makeOrdinaryUser({ password: crypted(PASSWORD) }));
    const server = forThisTest(await startSshServer(['PasswordAuthentication yes']));
    stub('HOME', workplace());
    const given = [...loginless(server), '--no-agent', '--login', user.login, '--password', write()];
    const { testbed, log, trace } = await open(given);
    expect(await log.first('auth.accepted')).toMatchObject({ method: 'password', login: user.login });
    expect((await testbed.exec(`echo ${PASSWORD}`)).stdout).toBe(`${PASSWORD}\n`);
    await testbed.close();
    expect(log.events[0]).toMatchObject({ backend: expect.arrayContaining(['--password', '[redacted]']) });
    const files = readdirSync(trace, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(1);
    for (const { parentPath, name } of files)
      expect(readFileSync(join(parentPath, name), 'latin1'), name).not.toContain(PASSWORD);
  });
});

function loginWords({ identity, hostKey }: { identity: string; hostKey: string }): string[] {
  return ['--identity', identity, '--no-agent', '--host-key', hostKey];
}

/** A server without a way to log in to it, but for those of the user who runs this. */
function loginless({ address, hostKey }: SshServer): string[] {
  return ['ssh', '--hostname', address.host, '--port', String(address.port), '--host-key', hostKey];
}

function words(server: SshServer, ...more: string[]): string[] {
  return [...loginless(server), '--no-agent', ...more];
}

function stub(name: string, value: string): void {
  vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

function keyWithPassphrase(): string {
  const file = join(workplace(), 'id');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', file]);
  return file;
}

/** Starts an agent that has one key. Returns its socket. */
async function agentWith(identity: string): Promise<string> {
  const socket = join(workplace(), 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  forThisTest({ [Symbol.dispose]: () => void agent.kill('SIGKILL') });
  // It prints where it listens once it does.
  await once(agent.stdout, 'data');
  execFileSync('ssh-add', ['-q', identity], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
  return socket;
}

function crypted(password: string): string {
  return execFileSync(findProgram('openssl') ?? 'openssl', ['passwd', '-6', '-stdin'], { input: `${password}\n` })
    .toString()
    .trim();
}

function wordsOrNull(text: string): string[] | null {
  try {
    return shellWords(text);
  } catch {
    return null;
  }
}

/** The words that the real sh(1) makes of a text; null where it makes none. */
function wordsOfSh(text: string): string[] | null {
  const script = 'eval "set -- $1" && for word do printf "%s\\0" "$word"; done';
  const { status, stdout } = spawnSync('sh', ['-c', script, 'sh', text], { encoding: 'utf8' });
  return status === 0 ? stdout.split('\0').slice(0, -1) : null;
}

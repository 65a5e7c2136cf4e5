import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { generateKeyPair } from '../../src/driver/index.ts';
import type { Credentials } from '../../src/events/index.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { describeWith, findProgram } from '../support/needs.ts';
import { makeOrdinaryUser } from '../support/ordinaryUser.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { beginHost, endpointOf, hostAt, openHost } from './support/openHost.ts';

const PASSPHRASE = 'open, please';
const PASSWORD = 'p4ss "word" ü';

describeWith(['sshd', 'ssh-keygen'], 'logging in', () => {
  test('works with a key made for the run', async () => {
    const sshd = forThisTest(await startSshServer());
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd))));
    expect(await host.log.first('auth.accepted')).toMatchObject({ login: sshd.login, method: 'publickey' });
  });

  test.each(['ed25519', 'rsa', 'ecdsa'])('works with a key of ssh-keygen, kind %s', async (kind) => {
    const { file, publicKey } = keyOf(kind, '');
    const accepted = await loginWith({ privateKeys: [readFileSync(file, 'utf8')] }, publicKey);
    expect(accepted.method).toBe('publickey');
  });

  test('works with a key under a passphrase', async () => {
    const { file, publicKey } = keyOf('ed25519', PASSPHRASE);
    const credentials = { privateKeys: [readFileSync(file, 'utf8')], passphrase: PASSPHRASE };
    expect((await loginWith(credentials, publicKey)).method).toBe('publickey');
  });

  test('offers one key after another', async () => {
    const { file, publicKey } = keyOf('ed25519', '');
    const strangers = [generateKeyPair().privateKey, generateKeyPair().privateKey];
    const accepted = await loginWith({ privateKeys: [...strangers, readFileSync(file, 'utf8')] }, publicKey);
    expect(accepted.method).toBe('publickey');
  });

  test.each([
    { what: 'without its passphrase', passphrase: undefined, words: /private key 1 was not offered: .*passphrase/ },
    { what: 'with a wrong passphrase', passphrase: 'wrong', words: /private key 1 was not offered: / },
  ])('with a key $what says so', async ({ passphrase, words }) => {
    const { file, publicKey } = keyOf('ed25519', PASSPHRASE);
    const privateKeys = [readFileSync(file, 'utf8')];
    const refused = await refusalOf(
      passphrase === undefined ? { privateKeys } : { privateKeys, passphrase },
      publicKey,
    );
    expect(refused.detail).toMatch(words);
  });

  test('with something that is no key says so', async () => {
    const refused = await refusalOf({ privateKeys: ['this is no key'] }, generateKeyPair().publicKey);
    expect(refused.detail).toMatch(/private key 1 was not offered: /);
  });

  test('with a key that is refused tells what was tried', async () => {
    const refused = await refusalOf({ privateKeys: [generateKeyPair().privateKey] }, generateKeyPair().publicKey);
    expect(refused).toMatchObject({ class: 'auth-refused', phase: 'ssh-ready' });
    expect(refused.tried).toEqual(['publickey']);
  });

  test('with nothing at all tells that nothing was tried', async () => {
    const refused = await refusalOf({}, generateKeyPair().publicKey);
    expect(refused.tried).toEqual(['none']);
  });
});

describeWith(['sshd', 'ssh-agent', 'ssh-keygen'], 'logging in by an agent', () => {
  test('works with a key that only the agent has', async () => {
    const agent = await startAgent();
    const { file, publicKey } = keyOf('ed25519', '');
    agent.add(file);
    expect((await loginWith({ agent: agent.socket }, publicKey)).method).toBe('agent');
  });

  test('comes after keys, and is named where all are refused', async () => {
    const agent = await startAgent();
    agent.add(keyOf('ed25519', '').file);
    const privateKeys = [generateKeyPair().privateKey];
    const refused = await refusalOf({ privateKeys, agent: agent.socket }, generateKeyPair().publicKey);
    expect(refused.tried).toEqual(['publickey', 'agent']);
  });

  test('that is not there is no reason not to try what comes next', async () => {
    const refused = await refusalOf({ agent: '/no/such/agent' }, generateKeyPair().publicKey);
    expect(refused).toMatchObject({ class: 'auth-refused', tried: ['agent'] });
  });
});

describeWith(['sshd', 'root', 'useradd', 'openssl'], 'logging in by a password', () => {
  test.each([
    { what: 'a server that takes passwords', config: ['PasswordAuthentication yes'] },
    {
      what: 'a server that asks questions, through PAM',
      config: ['UsePAM yes', 'KbdInteractiveAuthentication yes', 'PasswordAuthentication no'],
    },
  ])('works at $what', async ({ config }) => {
    const user = forThisTest(makeOrdinaryUser({ password: crypted(PASSWORD) }));
    const sshd = forThisTest(await startSshServer(config));
    const credentials = { password: PASSWORD };
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd, { login: user.login, credentials }))));
    expect(await host.log.first('auth.accepted')).toMatchObject({ login: user.login, method: 'password' });
    expect((await host.testbed.exec(['id', '-un'])).stdout).toBe(`${user.login}\n`);
  });

  test('that is wrong is refused', async () => {
    const user = forThisTest(makeOrdinaryUser({ password: crypted(PASSWORD) }));
    const sshd = forThisTest(await startSshServer(['PasswordAuthentication yes']));
    const endpoint = endpointOf(sshd, { login: user.login, credentials: { password: 'wrong' } });
    const { run, opening, log } = beginHost(hostAt(endpoint));
    await expect(opening).rejects.toMatchObject({ cause: { class: 'auth-refused' } });
    expect(await log.first('auth.refused')).toMatchObject({ login: user.login, tried: ['password'] });
    expect(JSON.stringify(log.events)).not.toContain('wrong"');
    await run.close();
  });
});

/** Logs in to a server that knows one public key; tells how. */
async function loginWith(credentials: Credentials, publicKey: string) {
  const sshd = await serverFor(publicKey);
  const host = forThisTest(await openHost(hostAt(endpointOf(sshd, { credentials }))));
  return host.log.first('auth.accepted');
}

/** The same where it is refused; tells why. */
async function refusalOf(credentials: Credentials, publicKey: string) {
  const sshd = await serverFor(publicKey);
  const { run, log, opening } = beginHost(hostAt(endpointOf(sshd, { credentials })));
  const error = await opening.then(
    () => expect.unreachable('it was let in'),
    (refused: { cause: { class: string; phase: string; detail: string } }) => refused,
  );
  const { tried } = await log.first('auth.refused');
  // It is no use to ask again.
  expect(log.all('dial.started')).toHaveLength(1);
  await run.close();
  return { ...error.cause, tried };
}

async function serverFor(publicKey: string) {
  const authorized = join(workplace(), 'authorized_keys');
  writeFileSync(authorized, `${publicKey.trim()}\n`);
  return forThisTest(await startSshServer([`AuthorizedKeysFile ${authorized}`]));
}

function keyOf(kind: string, passphrase: string): { file: string; publicKey: string } {
  const file = join(workplace(), 'id');
  execFileSync('ssh-keygen', ['-q', '-t', kind, '-N', passphrase, '-f', file]);
  return { file, publicKey: readFileSync(`${file}.pub`, 'utf8') };
}

async function startAgent(): Promise<{ socket: string; add: (file: string) => void }> {
  const socket = join(workplace(), 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  forThisTest({ [Symbol.dispose]: () => void agent.kill('SIGKILL') });
  // It prints where it listens once it does.
  await once(agent.stdout, 'data');
  const add = (file: string) =>
    void execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
  return { socket, add };
}

function crypted(password: string): string {
  return execFileSync(findProgram('openssl') ?? 'openssl', ['passwd', '-6', '-stdin'], { input: `${password}\n` })
    .toString()
    .trim();
}

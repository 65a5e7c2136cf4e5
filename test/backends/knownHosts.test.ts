import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { fingerprintsFor, parseKnownHosts } from '../../src/backends/ssh/knownHosts.ts';
import { generateKeyPair } from '../../src/driver/index.ts';
import { type SshServer, startSshServer } from '../faults/support/sshServer.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { open, refusal } from './support/open.ts';

const OTHER = generateKeyPair();
const THIRD = generateKeyPair();

/** Where a server is, and a line of known_hosts without its names. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly key: string;
}

/** What may stand in known_hosts about a server. */
const TEXTS: readonly { what: string; text: (place: Place) => string }[] = [
  { what: 'its key, with its port', text: ({ host, port, key }) => `[${host}]:${port} ${key}` },
  { what: 'its key, with a comment', text: ({ host, port, key }) => `[${host}]:${port} ${key} root@there, made today` },
  { what: 'its key, after blanks and tabs', text: ({ host, port, key }) => `\n \t[${host}]:${port}\t${key}\n\n` },
  { what: 'its key without a port', text: ({ host, key }) => `${host} ${key}` },
  { what: 'its key among other names', text: ({ host, port, key }) => `one,[${host}]:${port},two ${key}` },
  { what: 'its key for another port', text: ({ host, port, key }) => `[${host}]:${port + 1} ${key}` },
  { what: 'its key for another host', text: ({ port, key }) => `[192.0.2.1]:${port} ${key}` },
  { what: 'another key', text: ({ host, port }) => `[${host}]:${port} ${OTHER.publicKey}` },
  {
    what: 'another key with its port, its own without',
    text: ({ host, port, key }) => `[${host}]:${port} ${OTHER.publicKey}\n${host} ${key}`,
  },
  {
    what: 'several keys, its own last',
    text: ({ host, port, key }) =>
      [OTHER.publicKey, THIRD.publicKey, key].map((each) => `[${host}]:${port} ${each}`).join('\n'),
  },
  { what: 'a pattern with *', text: ({ port, key }) => `[127.*]:${port} ${key}` },
  { what: 'a pattern with ?', text: ({ host, port, key }) => `[${host.replace(/.$/, '?')}]:${port} ${key}` },
  { what: 'a pattern for every port', text: ({ host, key }) => `[${host}]:* ${key}` },
  { what: 'a dot that is no wildcard', text: ({ host, port, key }) => `[${host.replaceAll('.', 'x')}]:${port} ${key}` },
  { what: 'a pattern and an exception', text: ({ host, port, key }) => `[127.*]:${port},![${host}]:${port} ${key}` },
  { what: 'an exception first', text: ({ host, port, key }) => `![${host}]:${port},[127.*]:${port} ${key}` },
  { what: 'an exception of another', text: ({ host, port, key }) => `![192.0.2.1]:${port},[${host}]:${port} ${key}` },
  {
    what: 'its key, revoked',
    text: ({ host, port, key }) => `[${host}]:${port} ${key}\n@revoked [${host}]:${port} ${key}`,
  },
  { what: 'its key, revoked for all', text: ({ host, port, key }) => `@revoked * ${key}\n[${host}]:${port} ${key}` },
  {
    what: 'another key, revoked',
    text: ({ host, port, key }) => `@revoked * ${OTHER.publicKey}\n[${host}]:${port} ${key}`,
  },
  { what: 'its key as an authority', text: ({ key }) => `@cert-authority * ${key}` },
  { what: 'a marker that is none', text: ({ host, port, key }) => `@trusted [${host}]:${port} ${key}` },
  { what: 'its key in a comment', text: ({ host, port, key }) => `# [${host}]:${port} ${key}` },
  {
    what: 'garbage around it',
    text: ({ host, port, key }) =>
      `this is no key\n|1|x|y z\n@\n[${host}]:${port} ${key}\n[${host}]:${port} ssh-rsa AAAA`,
  },
  { what: 'its key cut short', text: ({ host, port, key }) => `[${host}]:${port} ${key.slice(0, 40)}` },
  {
    what: 'its key under another kind',
    text: ({ host, port, key }) => `[${host}]:${port} ssh-rsa ${key.split(' ')[1]}`,
  },
  { what: 'nothing', text: () => '' },
];

describeWith(['sshd', 'ssh', 'ssh-keygen'], 'known_hosts', () => {
  let server: SshServer;
  let place: Place;
  beforeAll(async () => {
    server = await startSshServer();
    place = { ...server.address, key: scan(server).split(' ').slice(1).join(' ').trim() };
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  test.each(TEXTS)('is read as ssh(1) reads it: $what', ({ text }) => {
    const file = join(workplace(), 'known_hosts');
    writeFileSync(file, `${text(place)}\n`);
    const { accepted } = fingerprintsFor(parseKnownHosts(readFileSync(file, 'utf8')), place.host, place.port);
    expect(accepted.includes(server.hostKey)).toBe(sshAccepts(server, file));
  });

  test('hashed by ssh-keygen is read as ssh(1) reads it', () => {
    const file = join(workplace(), 'known_hosts');
    for (const { text } of TEXTS.slice(0, 10)) {
      writeFileSync(file, `${text(place)}\n`);
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
      const hashed = readFileSync(file, 'utf8');
      expect(hashed).not.toContain(place.host);
      const { accepted } = fingerprintsFor(parseKnownHosts(hashed), place.host, place.port);
      expect(accepted.includes(server.hostKey), hashed).toBe(sshAccepts(server, file));
    }
  });

  test.each([
    ['as it is', []],
    ['hashed', ['-H']],
  ])('as ssh-keyscan writes it lets a testbed be opened: %s', async (_what, flags) => {
    const file = join(workplace(), 'known_hosts');
    writeFileSync(file, scan(server, flags));
    const { log } = await open(words(server, '--known-hosts', file));
    expect(await log.first('hostkey.verified')).toMatchObject({ fingerprint: server.hostKey });
  });

  test('may be several files', async () => {
    const [empty, full] = [join(workplace(), 'empty'), join(workplace(), 'full')];
    writeFileSync(empty, '');
    writeFileSync(full, scan(server));
    const { testbed } = await open(words(server, '--known-hosts', empty, '--known-hosts', full));
    expect(testbed.endpoint.hostKeys).toEqual([server.hostKey]);
  });

  test('of the user is looked at where none is named', async () => {
    const home = homeOfThisTest();
    execFileSync('mkdir', [join(home, '.ssh')]);
    writeFileSync(join(home, '.ssh/known_hosts'), scan(server, ['-H']));
    expect((await open(words(server))).testbed.endpoint.hostKeys).toEqual([server.hostKey]);
  });

  test('without the host ends it before anything is dialled, with what to do', async () => {
    homeOfThisTest();
    const { code, message, remedy, class: kind, log } = await refusal(words(server));
    expect({ code, kind }).toEqual({ code: 'host-key-unknown', kind: 'provision-failed' });
    expect(message).toMatch(/known_hosts or \/etc\/ssh\/ssh_known_hosts$/);
    expect(remedy).toContain(`ssh-keyscan -p ${server.address.port} ${server.address.host}`);
    expect(log.all('dial.started')).toEqual([]);
  });

  test('with the key revoked says so', async () => {
    const file = join(workplace(), 'known_hosts');
    writeFileSync(file, `${scan(server)}@revoked * ${place.key}\n`);
    const { code, message } = await refusal(words(server, '--known-hosts', file));
    expect(code).toBe('host-key-revoked');
    expect(message).toContain(file);
  });

  test('that is not there is an error where it was named', async () => {
    const { code, message } = await refusal(words(server, '--known-hosts', '/no/such/known_hosts'));
    expect(code).toBe('no-known-hosts');
    expect(message).toMatch(/^\/no\/such\/known_hosts cannot be read: ENOENT/);
  });

  test('tells the debug log of lines that it passes over', async () => {
    const file = join(workplace(), 'known_hosts');
    writeFileSync(file, `nonsense here now\n@cert-authority * ${place.key}\n@odd * ${place.key}\n${scan(server)}`);
    const said: string[] = [];
    await open(words(server, '--known-hosts', file), { log: (message) => said.push(message) });
    expect(said.filter((each) => each.startsWith(file)).slice(0, 3)).toEqual([
      `${file}:1: this is no key`,
      `${file}:2: certificate authorities are not supported`,
      `${file}:3: the marker @odd is not known`,
    ]);
  });
});

describe('names in known_hosts', () => {
  const accepts = (names: string, host: string, port = 22) =>
    fingerprintsFor(parseKnownHosts(`${names} ${OTHER.publicKey}`), host, port).accepted.length === 1;

  test('match whatever their case is', () => {
    expect(accepts('Build.Example.ORG', 'BUILD.example.org')).toBe(true);
  });

  test('may be addresses of IPv6', () => {
    expect(accepts('2001:db8::7', '2001:db8::7')).toBe(true);
    expect(accepts('[2001:db8::7]:2222', '2001:db8::7', 2222)).toBe(true);
    expect(accepts('[2001:db8::7]:2222', '2001:db8::7', 22)).toBe(false);
  });

  test('match as a whole only', () => {
    expect(accepts('example.org', 'www.example.org')).toBe(false);
    expect(accepts('*.example.org', 'www.example.org')).toBe(true);
    expect(accepts('*.example.org', 'example.org')).toBe(false);
  });
});

function words({ address, identity }: SshServer, ...more: string[]): string[] {
  const way = ['--hostname', address.host, '--port', String(address.port)];
  return ['ssh', ...way, '--identity', identity, '--no-agent', ...more];
}

function scan({ address }: SshServer, flags: readonly string[] = []): string {
  const args = [...flags, '-t', 'ed25519', '-p', String(address.port), address.host];
  return execFileSync('ssh-keyscan', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Whether the real client takes the server's key, with nothing else to go by than this file. */
function sshAccepts({ address, identity, login }: SshServer, knownHosts: string): boolean {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
  ].flatMap((option) => ['-o', option]);
  const target = ['-p', String(address.port), '-l', login, '-i', identity, address.host, 'true'];
  const { status } = spawnSync('ssh', ['-F', 'none', ...options, ...target], { stdio: 'ignore' });
  return status === 0;
}

/** An empty home directory, for the running test. */
function homeOfThisTest(): string {
  const home = workplace();
  vi.stubEnv('HOME', home);
  onTestFinished(() => void vi.unstubAllEnvs());
  return home;
}

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { generateKeyPair } from '../../src/driver/index.ts';
import type { ReachableEndpoint } from '../../src/events/index.ts';
import { forThisTest } from '../support/workplace.ts';
import { hostAt, openHost } from './support/openHost.ts';

const ours = generateKeyPair();
const hostKey = generateKeyPair();
const known = ssh2.utils.parseKey(ours.publicKey);

/** A server that lets one key in and tells what it was asked. */
async function startServer(): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (context.method !== 'publickey' || known instanceof Error) return context.reject();
      const isKnown = known.getPublicSSH().equals(context.key.data);
      asked.push(`${isKnown ? 'ours' : 'a stranger’s'}${context.signature === undefined ? '?' : ''}`);
      if (isKnown) context.accept();
      else context.reject();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

async function logIn(port: number, privateKeys: string[]): Promise<void> {
  const endpoint: ReachableEndpoint = {
    via: { kind: 'tcp', host: '127.0.0.1', port },
    server: 'sshd',
    login: 'somebody',
    hostKeys: [hostKey.fingerprint],
    credentials: { privateKeys },
  };
  const host = forThisTest(await openHost(hostAt(endpoint)));
  await host.log.first('auth.accepted');
}

describe('a key of our own', () => {
  test('is not asked about: the first request is signed', async () => {
    const { port, asked } = await startServer();
    await logIn(port, [ours.privateKey]);
    expect(asked).toEqual(['ours']);
  });

  test('follows those that are refused', async () => {
    const { port, asked } = await startServer();
    await logIn(port, [generateKeyPair().privateKey, ours.privateKey]);
    expect(asked).toEqual(['a stranger’s', 'ours']);
  });
});

import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LaunchpadServers, signedPpa } from '../../src/runner/dependencies/ppa/Launchpad.ts';
import { fingerprintOf } from '../../src/runner/dependencies/ppa/openPgpKey.ts';
import { ppaOf } from '../../src/runner/dependencies/ppa/ppa.ts';
import { ManualClock } from '../support/ManualClock.ts';
import { describeWith } from '../support/needs.ts';
import { type SigningKey, signingKey } from '../support/signingKey.ts';
import { webServer } from '../support/webServer.ts';
import { forThisTest } from '../support/workplace.ts';

const never = new AbortController().signal;

/** A clock of which no wait is long. */
class Hasty extends ManualClock {
  override after(ms: number, callback: () => void) {
    const timer = super.after(ms, callback);
    // The pause between two tries: the deadline of a try is longer.
    if (ms < 10_000) queueMicrotask(() => this.advance(ms));
    return timer;
  }
}

const at = (url: string): LaunchpadServers => ({ api: url, keyServer: url, archive: url, privateArchive: url });
const look = (ppa: string, url: string, clock = new Hasty(), signal = never) =>
  signedPpa(ppaOf(ppa), { servers: at(url), clock, signal });

/** Answers with each of these in turn, and then with the last one again. */
async function answering(
  ...answers: readonly [status: number, body: string][]
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    const [status, body] = answers[Math.min(asked.length, answers.length - 1)] ?? [500, ''];
    asked.push(request.url ?? '');
    response.writeHead(status).end(body);
  };
  return { url: forThisTest(await webServer(listener)).url, asked };
}

describeWith(['gpg'], 'the key of a PPA', () => {
  let key: SigningKey;
  let other: SigningKey;
  beforeAll(() => {
    key = signingKey();
    other = signingKey('rsa3072');
  });
  afterAll(() => {
    key?.[Symbol.dispose]();
    other?.[Symbol.dispose]();
  });

  it('has the fingerprint that gpg tells', () => {
    for (const { armoured, fingerprint } of [key, other]) {
      expect(fingerprintOf(armoured)).toBe(fingerprint);
      expect(fingerprintOf(armoured.replace(/BLOCK-----\n\n/, 'BLOCK-----\r\nVersion: 1\r\n\r\n'))).toBe(fingerprint);
    }
  });

  it('is the one that Launchpad names', async () => {
    const { url, asked } = await answering([200, JSON.stringify(key.armoured)]);
    expect(await look('ppa:o/n', url)).toMatchObject({ fingerprint: key.fingerprint, key: key.armoured.trim() });
    expect(asked).toEqual(['/~o/+archive/ubuntu/n?ws.op=getSigningKeyData']);
  });

  it('is the one of a fingerprint, from the key server', async () => {
    const { url, asked } = await answering([200, key.armoured]);
    expect(await look(`ppa:me:secret@o/n:${key.fingerprint}`, url)).toMatchObject({ fingerprint: key.fingerprint });
    expect(asked).toEqual([`/pks/lookup?op=get&options=mr&search=0x${key.fingerprint}`]);
  });

  it('is not another one, whatever the key server says', async () => {
    const { url } = await answering([200, other.armoured]);
    const wanted = `ppa:o/n:${key.fingerprint}`;
    await expect(look(wanted, url)).rejects.toThrow(
      `answered with the key ${other.fingerprint}, and ${key.fingerprint} was asked for`,
    );
  });

  it('is asked for again where a server has a bad moment', async () => {
    const { url, asked } = await answering(
      [503, ''],
      [500, 'GPGKeyTemporarilyNotFoundError'],
      [200, JSON.stringify(key.armoured)],
    );
    expect(await look('ppa:o/n', url)).toMatchObject({ fingerprint: key.fingerprint });
    expect(asked).toHaveLength(3);
  });
});

describe('a PPA whose key cannot be had', () => {
  it.each([
    [
      [404, ''],
      'answered 404: there is no public PPA ~o/ubuntu/n; a private one needs ppa:USER:TOKEN@OWNER/NAME:FINGERPRINT',
    ],
    [[401, ''], 'answered 401: it is not public'],
    [[200, 'null'], 'Launchpad has made no key for it yet'],
    [
      [200, '<html>sign in</html>'],
      'answered with no key: it has no block of a public key; it begins with "<html>sign in</html>"',
    ],
    [[200, '{"a":1}'], 'answered with no key'],
    [[200, 'x'.repeat(200_000)], 'answered with more than 100 KiB'],
    [[503, ''], 'answered 503 Service Unavailable; it was asked 3 times'],
  ] as const)('%j is refused with the reason', async ([status, body], why) => {
    const { url } = await answering([status, body]);
    await expect(look('ppa:o/n', url)).rejects.toThrow(why);
    await expect(look('ppa:o/n', url)).rejects.toThrow('--add-apt-source ppa:o/n: ');
  });

  it('is refused where nobody listens', async () => {
    const { url } = await answering([200, '']);
    const gone = await webServer(() => {});
    await gone[Symbol.asyncDispose]();
    await expect(look('ppa:o/n', gone.url)).rejects.toThrow(
      /cannot be reached: .*ECONNREFUSED.*; it was asked 3 times/,
    );
    await expect(look('ppa:o/n', url.replace('http:', 'https:'))).rejects.toThrow('cannot be reached');
  });

  it('is refused where nobody answers in time', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const server = createServer(() => {
      asked += 1;
      // The deadline of this try, and the pause before the next.
      clock.advance(20_000);
      setImmediate(() => clock.advance(20_000));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    forThisTest({ [Symbol.dispose]: () => void server.close() });
    const { port } = server.address() as { port: number };
    await expect(look('ppa:o/n', `http://127.0.0.1:${port}`, clock as Hasty)).rejects.toThrow(
      'did not answer within 20 s; it was asked 3 times',
    );
    expect(asked).toBe(3);
  });

  it('is not waited for where the operator has enough', async () => {
    const operator = new AbortController();
    const { url } = forThisTest(await webServer(() => operator.abort(new Error('enough'))));
    await expect(look('ppa:o/n', url, new Hasty(), operator.signal)).rejects.toThrow('enough');
  });
});

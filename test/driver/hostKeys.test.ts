import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { generateKeyPair } from '../../src/driver/index.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { beginHost, endpointOf, hostAt, openHost, openSshd } from './support/openHost.ts';

describeWith(['sshd'], 'the host key', () => {
  test('that is expected is taken, among others too', async () => {
    const sshd = forThisTest(await startSshServer());
    const hostKeys = [generateKeyPair().fingerprint, sshd.hostKey];
    const host = forThisTest(await openHost(hostAt(endpointOf(sshd, { hostKeys }))));
    expect((await host.log.first('hostkey.verified')).fingerprint).toBe(sshd.hostKey);
  });

  test.each([
    { what: 'another', hostKeys: [generateKeyPair().fingerprint] },
    { what: 'any, as none is expected', hostKeys: [] },
  ])('that is $what is refused before anything of ours is shown', async ({ hostKeys }) => {
    const sshd = forThisTest(await startSshServer());
    const { run, log, opening } = beginHost(hostAt(endpointOf(sshd, { hostKeys })));
    await expect(opening).rejects.toMatchObject({ cause: { class: 'host-key-mismatch', phase: 'ssh-ready' } });
    expect(await log.first('hostkey.mismatched')).toMatchObject({ seen: sshd.hostKey, expected: hostKeys });
    expect(log.all('handshake.completed')).toEqual([]);
    expect(log.all('dial.started')).toHaveLength(1);
    await run.close();
  });

  test('is shown and verified again whenever the keys are exchanged anew', async () => {
    const host = await openSshd(['RekeyLimit 2M']);
    const bytes = randomBytes(16_000_000);
    const running = host.testbed.start(['cat'], { stdin: bytes });
    running.stderr.resume();
    const back = await buffer(running.stdout);
    expect(createHash('sha256').update(back).digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect((await running.ended).result).toEqual({ kind: 'exited', status: 0 });
    expect(host.log.all('hostkey.verified').length).toBeGreaterThan(2);
    expect(host.log.all('hostkey.verified')).toHaveLength(host.log.all('hostkey.seen').length);
    expect(host.log.all('event.unexpected')).toEqual([]);
  });
});

import { expect, test } from 'vitest';
import type { Contract } from '../support/contract.ts';

export function open(contract: Contract): void {
  test('tells what the testbed can do, truthfully and before it is there', async () => {
    const { backend, testbed, preparation } = contract;
    expect([...preparation.backend.capabilities()].sort()).toEqual([...backend.capabilities].sort());
    expect([...testbed.capabilities].sort()).toEqual([...backend.capabilities].sort());
    const { stdout } = await testbed.exec(['id', '-u'], { login: backend.login });
    expect(stdout.trim() === '0').toBe(backend.capabilities.includes('root-on-testbed'));
  });

  test('tells who is logged in and which server answers, and keeps what is secret out of it', () => {
    const { backend, testbed } = contract;
    expect(testbed.endpoint).toMatchObject({ login: backend.login, server: backend.server });
    expect(testbed.endpoint.hostKeys).toEqual([expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/)]);
    expect(Object.keys(testbed.endpoint)).not.toContain('credentials');
    expect(JSON.stringify(testbed.endpoint)).not.toContain('PRIVATE KEY');
  });

  const unable = (['reboot', 'revert'] as const).filter((verb) => !contract.backend.capabilities.includes(verb));
  test.each(unable)('refuses to %s, naming what it can', async (verb) => {
    const { testbed } = contract;
    await expect(testbed[verb]()).rejects.toThrow(`lacks the capability ${verb}`);
    expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
  });

  test('verifies the host key before it says who we are', () => {
    const order = contract.log.events.map(({ type }) => type);
    expect(order.indexOf('hostkey.verified')).toBeGreaterThan(order.indexOf('hostkey.seen'));
    expect(order.indexOf('auth.accepted')).toBeGreaterThan(order.indexOf('hostkey.verified'));
    expect(order.indexOf('testbed.readied')).toBeGreaterThan(order.indexOf('auth.accepted'));
  });

  test('opens two at once, which know nothing of each other', async () => {
    const [one, other] = await Promise.all([contract.open(), contract.open()]);
    try {
      const [first, second] = await Promise.all([one, other].map(({ testbed }) => testbed.exec('echo here')));
      expect([first?.stdout, second?.stdout]).toEqual(['here\n', 'here\n']);
      await one.close();
      expect(await other.testbed.exec('echo still here')).toMatchObject({ stdout: 'still here\n' });
    } finally {
      await Promise.all([one[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
    }
  });
}

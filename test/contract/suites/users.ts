import { expect, test } from 'vitest';
import type { Contract } from '../support/contract.ts';

export function users(contract: Contract): void {
  test('runs as the user of the endpoint, or as another', async () => {
    const { backend, testbed, ordinary } = contract;
    expect((await testbed.exec(['id', '-un'])).stdout).toBe(`${backend.login}\n`);
    expect((await testbed.exec(['id', '-un'], { login: ordinary })).stdout).toBe(`${ordinary}\n`);
    expect(testbed.endpoint.normalUser).toBe(ordinary);
  });

  test('gives each user a home directory, a name and a search path', async () => {
    const { backend, testbed, ordinary } = contract;
    for (const login of [backend.login, ordinary]) {
      const line = 'test "$USER" = "$LOGNAME" && echo "$USER" && test -d "$HOME" && cd "$HOME" && command -v ls';
      const { stdout } = await testbed.exec(line, { login });
      expect(stdout).toMatch(new RegExp(`^${login}\\n/(usr/)?bin/ls\\n$`));
    }
  });

  test('gives an ordinary user no power over what is not theirs', async () => {
    const { testbed, ordinary } = contract;
    const { status } = await testbed.exec('echo x >/etc/trundle-was-here', { login: ordinary });
    expect(status).not.toBe(0);
    expect((await testbed.exec('id -G; id -gn', { login: ordinary })).stdout).not.toMatch(/\b0\b|root/);
  });

  test('serves both at the same time', async () => {
    const { backend, testbed, ordinary } = contract;
    const logins = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? backend.login : ordinary));
    const results = await Promise.all(logins.map((login) => testbed.exec(['id', '-un'], { login })));
    expect(results.map(({ stdout }) => stdout.trim())).toEqual(logins);
  });

  test('refuses a user who does not exist, and goes on', async () => {
    const { testbed } = contract;
    await expect(testbed.exec(['true'], { login: 'nobody-of-this-name' })).rejects.toMatchObject({
      name: 'TestbedError',
      cause: { class: 'auth-refused' },
    });
    expect(await testbed.exec(['true'])).toMatchObject({ status: 0 });
  });
}

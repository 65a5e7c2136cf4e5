import { expect, test } from 'vitest';
import type { Contract } from '../support/contract.ts';

export function descriptors(contract: Contract): void {
  const logins = () => [contract.backend.login, contract.preparation.ordinary].filter((login) => login !== null);

  test('can be opened by name: stdin, stdout and stderr, by root and by an ordinary user', async () => {
    const line = 'cat /dev/stdin >/dev/stdout && echo wrong >/dev/stderr';
    for (const login of logins()) {
      const { status, stdout, stderr } = await contract.testbed.exec(line, { login, stdin: 'right\n' });
      expect({ login, status, stdout, stderr }).toEqual({ login, status: 0, stdout: 'right\n', stderr: 'wrong\n' });
    }
  });

  test('are pipes, and no other is inherited from whoever starts the command', async () => {
    // What the shell opens to look there is closed again by the time it asks.
    const look = 'for fd in /proc/$$/fd/*; do [ ! -e "$fd" ] || echo "$(basename $fd) $(readlink $fd)"; done';
    for (const login of logins()) {
      const { stdout } = await contract.testbed.exec(['sh', '-c', look], { login });
      expect(stdout).toMatch(/^0 pipe:\S+\n1 pipe:\S+\n2 pipe:\S+\n$/);
    }
  });
}

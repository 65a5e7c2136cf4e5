import { expect, test } from 'vitest';
import type { Contract } from '../support/contract.ts';

export function concurrency(contract: Contract): void {
  test('fifty commands at once, each with its own streams and status', async () => {
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    const results = await Promise.all(
      numbers.map((n) =>
        contract.testbed.exec(`read -r x; echo "out $x"; echo "err $x" >&2; exit ${n}`, { stdin: `${n}\n` }),
      ),
    );
    expect(results.map(({ status, stdout, stderr }) => [status, stdout, stderr])).toEqual(
      numbers.map((n) => [n, `out ${n}\n`, `err ${n}\n`]),
    );
  });

  test('fifty commands that all go on at the same time, where the server allows so many', async () => {
    const gates = Array.from({ length: 50 }, () =>
      contract.testbed.start('echo ready; read -r _; exit 7', { stdin: 'x\n' }),
    );
    for (const gate of gates) {
      gate.stdout.resume();
      gate.stderr.resume();
    }
    const ends = await Promise.all(gates.map(({ ended }) => ended));
    expect(ends.map(({ result }) => result)).toEqual(Array(50).fill({ kind: 'exited', status: 7 }));
  });

  test('a command whose output nobody reads does not hold up the others', async () => {
    // More than all buffers between them hold.
    const flood = contract.testbed.start('head -c 16777216 /dev/zero');
    expect(await contract.testbed.exec('echo past it')).toMatchObject({ stdout: 'past it\n' });
    let bytes = 0;
    for await (const chunk of flood.stdout as AsyncIterable<Buffer>) bytes += chunk.length;
    flood.stderr.resume();
    expect(bytes).toBe(16_777_216);
    expect((await flood.ended).result).toEqual({ kind: 'exited', status: 0 });
  });
}

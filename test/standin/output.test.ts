import { expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { openTestbed } from '../../src/testbed/index.ts';
import { forThisTest } from '../support/workplace.ts';

const MIB = 1024 * 1024;

test('stdout and stderr of the stand-in both arrive whole where both wait for room', async () => {
  const testbed = forThisTest(await openTestbed(await configureBackend(['null'])));
  // More than the two megabytes that may be under way, again and again on either stream.
  const script = `i=0
while [ $i -lt 4 ]; do
  head -c 3M /dev/zero | tr '\\0' o
  head -c 3M /dev/zero | tr '\\0' e >&2
  i=$((i + 1))
done
echo end; echo end >&2`;
  for (let round = 0; round < 5; round++) {
    const { status, stdout, stderr } = await testbed.exec(script);
    expect(status).toBe(0);
    expect(stdout === `${'o'.repeat(12 * MIB)}end\n`).toBe(true);
    expect(stderr === `${'e'.repeat(12 * MIB)}end\n`).toBe(true);
  }
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { createRun, openTestbed, type Run } from '../../src/testbed/index.ts';
import { workplace } from '../support/workplace.ts';
import { bytesOf, eventsOf } from './support/traceOf.ts';

const SECRET = 'correct horse battery staple';

test("a command's secrets are in no file of the trace and in no event, though the command gets them", async () => {
  const trace = join(workplace(), 'trace');
  const told: string[] = [];
  const testbed = await openTestbed(await configureBackend(['null']), {
    trace,
    onRun: (run) => {
      run.events$.subscribe((event) => told.push(JSON.stringify(event)));
      run.decisions$.subscribe((decision) => told.push(JSON.stringify(decision)));
    },
  });
  const line = `echo "$TOKEN"; echo "it is ${SECRET}" >&2`;
  const { stdout, stderr } = await testbed.exec(line, { env: { TOKEN: SECRET }, secrets: [SECRET] });
  expect([stdout, stderr]).toEqual([`${SECRET}\n`, `it is ${SECRET}\n`]);
  await testbed.close();
  expect(bytesOf(trace)).not.toContain(SECRET);
  expect(told.join('\n')).not.toContain(SECRET);
  expect((await eventsOf(trace)).filter(({ type }) => type === 'command.requested')).toHaveLength(1);
});

test('a secret that comes in pieces is not kept either', async () => {
  const trace = join(workplace(), 'trace');
  const testbed = await openTestbed(await configureBackend(['null']), { trace, secrets: [SECRET] });
  const [head, tail] = [SECRET.slice(0, 9), SECRET.slice(9)];
  // The second piece is written when the first one has come: by a process that waits for stdin.
  const running = testbed.start(`printf '${head}'; read -r _; printf '${tail}'`, { stdin: 'go on\n' });
  let seen = '';
  for await (const chunk of running.stdout) seen += String(chunk);
  running.stderr.resume();
  await running.ended;
  await testbed.close();
  expect(seen).toBe(SECRET);
  expect(bytesOf(trace)).not.toContain(SECRET);
});

test.each([
  ['from the start', (_run: Run) => {}, [SECRET]],
  ['later on', (run: Run) => run.redact([SECRET]), []],
])(
  'a secret that the run is told of %s is kept out of file names of copies and errors too',
  async (_when, tell, secrets) => {
    const trace = join(workplace(), 'trace');
    const run = createRun({ trace, secrets });
    run.emit({
      type: 'run.started',
      testbed: null,
      from: 'runner',
      tests: false,
      trundle: 'test',
      sources: [],
      backend: [],
    });
    const testbed = await run.openTestbed(await configureBackend(['null']));
    tell(run);
    await expect(testbed.copyDown(`/no/such/${SECRET}`, '/tmp/x')).rejects.toThrow(/no such/i);
    await testbed.exec(['true', SECRET]);
    await run.close();
    expect((await eventsOf(trace)).filter(({ type }) => type === 'copy.failed')).toHaveLength(1);
    expect(bytesOf(trace)).not.toContain(SECRET);
  },
);

test("the testbed's own keys are in no trace", async () => {
  const trace = join(workplace(), 'trace');
  const testbed = await openTestbed(await configureBackend(['null']), { trace });
  await testbed.close();
  expect(bytesOf(trace)).not.toMatch(/PRIVATE KEY|privateKeys|credentials/);
});

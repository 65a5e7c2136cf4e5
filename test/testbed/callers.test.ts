import { createReadStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { openTestbed, TestbedError } from '../../src/testbed/index.ts';
import { workplace } from '../support/workplace.ts';
import { eventsOf } from './support/traceOf.ts';

test('a callback that throws calls the copy off, and nothing else', async () => {
  const place = workplace();
  const from = join(place, 'from');
  writeFileSync(from, 'some bytes\n');
  await using testbed = await openTestbed(await configureBackend(['null']));
  const onProgress = () => {
    throw new Error('the bar is broken');
  };
  for (const copy of [testbed.copyDown, testbed.copyUp]) {
    const failed = await copy.call(testbed, from, join(place, 'to'), { onProgress }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(TestbedError);
    expect(failed).toMatchObject({
      cause: { class: 'operator-interrupted', detail: 'it was called off: onProgress threw: the bar is broken' },
    });
  }
  expect(await testbed.exec(['cat', from])).toMatchObject({ stdout: 'some bytes\n' });
});

test('a command that was called off says why', async () => {
  await using testbed = await openTestbed(await configureBackend(['null']));
  const stdin = createReadStream('/nonexistent/input');
  await expect(testbed.exec(['cat'], { stdin })).rejects.toThrow(/it was cancelled: reading its stdin failed: ENOENT/);
  const signal = AbortSignal.abort(new Error('nobody waits any more'));
  await expect(testbed.exec(['cat'], { signal })).rejects.toThrow(/it was cancelled: nobody waits any more$/);
});

test('a run whose onRun throws is closed, and its trace has an end', async () => {
  const trace = join(workplace(), 'trace');
  const onRun = () => {
    throw new Error('the caller has a bug');
  };
  await expect(openTestbed(await configureBackend(['null']), { trace, onRun })).rejects.toThrow('the caller has a bug');
  expect(existsSync(trace)).toBe(true);
  expect((await eventsOf(trace)).map(({ type }) => type)).toEqual(['run.finished', 'run.concluded']);
});

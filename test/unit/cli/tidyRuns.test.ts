import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tidyRuns } from '../../../src/cli/live/traceHome.ts';
import { createHeader, thisProcess } from '../../../src/trace/owner.ts';
import { runsDirectory } from '../../../src/trace/registry.ts';
import { event, temporaryDirectory } from '../trace/support/trace.ts';

test('old runs are removed once many have gathered, and those that stay are not looked through each time', async () => {
  const env = { HOME: temporaryDirectory() };
  const self = thisProcess();
  const ended = event(1, { type: 'run.concluded', testbed: null, from: 'machine', exitCode: 0, cause: null });
  const make = (name: string, text: string) => {
    const directory = join(runsDirectory(env), name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'events.jsonl'), text);
  };
  const end = (from: number, to: number) => {
    for (let index = from; index < to; index++) {
      const header = createHeader({ run: `e${index}`, trundle: '0.1.0', now: new Date(index * 1000) });
      const owner = { ...self, startTime: self.startTime - 1 };
      make(`e${index}`, `${JSON.stringify({ ...header, owner })}\n${JSON.stringify({ ...ended, run: `e${index}` })}\n`);
    }
  };
  const left = () => readdirSync(runsDirectory(env)).length;
  for (let index = 0; index < 30; index++) make(`unreadable${index}`, '');
  end(0, 105);
  await tidyRuns(env);
  expect(left()).toBe(130);
  end(105, 110);
  await tidyRuns(env);
  expect(left()).toBe(135);
  end(110, 130);
  await tidyRuns(env);
  expect(left()).toBe(130);
  expect(readdirSync(runsDirectory(env))).not.toContain('e29');
});

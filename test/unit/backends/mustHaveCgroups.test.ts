import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { containerOptions } from '../../../src/backends/containers/options.ts';
import { mustHaveCgroups } from '../../../src/backends/containers/probe.ts';
import { workplace } from '../../support/workplace.ts';

test('what is configured is asked for once, for all of its testbeds, and again where it had none', async () => {
  const place = workplace();
  const [answer, asked] = [join(place, 'answer'), join(place, 'asked')];
  const script = `echo "$*" >>'${asked}'; cat '${answer}'`;
  const engine = { name: 'podman' as const, argv: ['sh', '-c', script, 'podman'] };
  const configured = containerOptions.parse({ image: 'debian' });
  const ask = (options = configured) => mustHaveCgroups(engine, options, AbortSignal.timeout(10_000));
  const times = () => readFileSync(asked, 'utf8').split('\n').length - 1;

  writeFileSync(answer, 'v1\n');
  await expect(ask()).rejects.toMatchObject({ code: 'no-cgroup2' });
  writeFileSync(answer, 'v2\n');
  await ask();
  expect(times()).toBe(2);
  await ask();
  expect(times()).toBe(2);
  await ask(containerOptions.parse({ image: 'debian' }));
  expect(times()).toBe(3);
});

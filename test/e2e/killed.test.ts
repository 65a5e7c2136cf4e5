import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeLifeline } from '../support/lifeline.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { Cli, cli } from './support/cli.ts';
import { explanation, type HeldRun, HOLDS, holdRun, stands } from './support/heldRun.ts';

/** Kills the run at once, without a chance to take anything down. Returns what it left. */
async function kill(held: HeldRun): Promise<{ kind: string; name: string }[]> {
  held.running.kill('SIGKILL');
  expect((await held.running.ended).signal).toBe('SIGKILL');
  return (await explanation(held)).left;
}

function reapWords({ trace }: HeldRun): string[] {
  return ['reap', '--json', trace];
}

describeWith(['sshd', 'proc'], 'a run that was killed while', () => {
  test.each(HOLDS)('%s is finished by reap from its trace', async (hold, phase) => {
    const held = await holdRun(hold);
    const left = await kill(held);
    expect((await explanation(held)).interrupted).toMatchObject({ phase });
    expect(left.filter((resource) => !stands(resource))).toEqual([]);
    expect(left.map(({ kind }) => kind)).toEqual([
      'directory',
      'directory',
      ...(hold === 'creating' ? [] : ['process']),
    ]);

    const reaped = await cli(reapWords(held), { env: held.env });
    expect(JSON.parse(reaped.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect([reaped.status, reaped.stderr]).toEqual([0, '']);
    expect(left.filter(stands)).toEqual([]);
    expect(readdirSync(held.place)).toEqual([]);

    expect(await explanation(held)).toMatchObject({
      exitCode: 20,
      cause: { class: 'runner-killed', phase },
      left: [],
      interrupted: null,
    });
    const replayed = await cli(['replay', '--json', held.trace], { env: held.env });
    expect([replayed.status, JSON.parse(replayed.stdout)]).toMatchObject([0, { same: true }]);
  });
});

describeWith(['sshd', 'proc'], 'the test of a run that was killed', () => {
  test('is ended in the testbed, whatever signals it heeds', async () => {
    const held = await holdRun('testing', { stubborn: true });
    await kill(held);
    await held.released;
    expect((await cli(reapWords(held), { env: held.env })).status).toBe(0);
  });
});

/** A run that was killed and left a session, whose end takes until `line` is done, the first time. */
async function killedWithSession(line: (place: string) => string) {
  const place = workplace();
  const ended = join(place, 'ended');
  const session = `if mkdir '${place}/tried' 2>/dev/null; then ${line(place)}; fi; echo ended >> '${ended}'`;
  const held = await holdRun('testing', { backend: ['--session', session] });
  const left = await kill(held);
  expect(left).toContainEqual(expect.objectContaining({ kind: 'session' }));
  return { held, left, ended, place };
}

describeWith(['sshd', 'proc'], 'a reap', () => {
  test('that is killed itself is finished by the next one', async () => {
    const lifeline = forThisTest(makeLifeline(workplace()));
    const { held, left, ended } = await killedWithSession(() => `${lifeline.linger}; exit 1`);
    const first = new Cli(reapWords(held), { env: held.env });
    await lifeline.held;
    first.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    expect(existsSync(ended)).toBe(false);
    // The process was taken last and went first, and the trace says so.
    expect((await explanation(held)).left).toHaveLength(left.length - 1);

    const second = await cli(reapWords(held), { env: held.env });
    expect(JSON.parse(second.stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect(existsSync(ended)).toBe(true);
    expect(readdirSync(held.place)).toEqual([]);
    expect(readdirSync(held.trace).filter((name) => name.endsWith('.lock'))).toEqual([]);
    expect((await cli(['replay', held.trace], { env: held.env })).status).toBe(0);
  });

  test('that comes while another is at it leaves the run alone and says so', async () => {
    const lifeline = forThisTest(makeLifeline(workplace()));
    const { held, ended, place } = await killedWithSession(
      (where) => `mkfifo '${where}/go'; echo held > '${lifeline.path}'; cat '${where}/go'`,
    );
    const first = new Cli(reapWords(held), { env: held.env });
    await lifeline.held;
    const second = await cli(['reap', held.trace], { env: held.env });
    expect(second).toMatchObject({ status: 0, stdout: `Run ${held.run}: is being reaped by another process.\n` });
    expect(existsSync(ended)).toBe(false);

    await writeFile(join(place, 'go'), '');
    const { stdout, status } = await first.ended;
    expect(JSON.parse(stdout).runs).toMatchObject([{ outcome: 'finished', left: [], concluded: true }]);
    expect([status, existsSync(ended), readdirSync(held.place)]).toEqual([0, true, []]);
  });
});

import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cause } from '../../src/events/index.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { talkingServer, vacantAddress } from '../support/badServers.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage, type PackagePlan } from '../support/packages.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { Cli, ownState } from './support/cli.ts';

interface Ended {
  readonly status: number | null;
  readonly summary: string;
  readonly cause: Cause | null;
  readonly stdout: string;
  readonly out: string;
}

interface Plan {
  readonly package: PackagePlan;
  readonly options?: readonly string[];
}

/** Runs a package in a place of its own, and says how that ended. */
async function run(
  place: string,
  name: string,
  plan: Plan,
  backend: readonly string[],
  during?: () => void,
): Promise<Ended> {
  const source = join(place, 'sample-1.0');
  if (!existsSync(source)) makePackage(place, plan.package);
  const out = join(place, name);
  const words = ['run', '-o', out, ...(plan.options ?? []), source, '--', ...backend];
  const program = new Cli(words, { env: ownState(), cwd: place });
  if (during !== undefined) {
    await program.says('begun');
    during();
  }
  const { status, stdout } = await program.ended;
  const file = join(out, 'summary');
  const lines = readFileSync(join(out, 'trace/events.jsonl'), 'utf8').trimEnd().split('\n');
  const conclusion = lines.map((line) => JSON.parse(line)).findLast(({ type }) => type === 'run.concluded');
  const summary = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return { status, summary, cause: conclusion?.cause ?? null, stdout, out };
}

/** Records a run, then runs the same on the recording. */
async function recordedAndReplayed(
  plan: Plan,
  backend: readonly string[],
  { more = [], during }: { more?: readonly string[]; during?: () => void } = {},
) {
  const place = workplace();
  const recorded = await run(place, 'recorded', plan, backend, during);
  const replayed = await run(place, 'replayed', plan, ['replay', recorded.out, ...more]);
  return { place, recorded, replayed };
}

function expectSame({ recorded, replayed }: { recorded: Ended; replayed: Ended }): void {
  const essence = ({ status, summary, cause, stdout }: Ended) => ({
    // A host key is new each time, and how often something is tried within a time is the machine's affair.
    ...{
      status,
      stdout,
      summary: summary.replace(/showed SHA256:\S+/, 'showed KEY').replaceAll(/\d+(?= attempts)|(?<=attempt )\d+/g, 'N'),
    },
    cause: cause === null ? null : { class: cause.class, phase: cause.phase, doing: cause.doing },
  });
  expect(essence(replayed)).toEqual(essence(recorded));
}

const MANY = {
  tests: {
    good: 'echo fine',
    bad: 'echo about to fail\nexit 3',
    talks: 'echo "warning: it is late" >&2',
    dies: 'kill -SEGV $$',
    keeps: 'echo x >"$AUTOPKGTEST_ARTIFACTS/file"',
    prints: 'seq 1 20000',
  },
};

describe('a recorded testbed', () => {
  test('gives the tests of a package the same verdicts, the same output and the same exit code', async () => {
    const both = await recordedAndReplayed({ package: MANY }, ['null']);
    expect(both.recorded).toMatchObject({ status: 4, cause: { class: 'test-failed' } });
    expectSame(both);
    // What was copied is not in the trace.
    expect(existsSync(join(both.recorded.out, 'artifacts/keeps/file'))).toBe(true);
    expect(existsSync(join(both.replayed.out, 'artifacts/keeps'))).toBe(true);
    expect(readFileSync(join(both.replayed.out, 'trace/events.jsonl'), 'utf8')).toContain(
      'is not in the trace; an empty one stands for it',
    );
  });

  test('lets a test run into its limit, and be ended', async () => {
    const plan = { package: { tests: { lingers: 'echo begun\nexec sleep 1000' } }, options: ['--timeout-test', '1'] };
    const both = await recordedAndReplayed(plan, ['null']);
    expect(both.recorded.cause).toMatchObject({ class: 'test-timed-out' });
    expectSame(both);
  });

  test('goes at the recorded pace where that is wanted', async () => {
    const plan = { package: { tests: { waits: 'echo a\nsleep 2\necho b' } } };
    const both = await recordedAndReplayed(plan, ['null'], { more: ['--pace'] });
    expectSame(both);
    const gap = ({ out }: Ended) => {
      const events = readFileSync(join(out, 'trace/events.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const started = events.find(({ type }) => type === 'test.started');
      const output = events.filter(({ type, command }) => type === 'command.output' && command === started.command);
      return output.at(-1).at - output[0].at;
    };
    expect(gap(both.replayed)).toBeGreaterThan(0.9 * gap(both.recorded));
  });

  test('says what was asked and what is recorded where the program does otherwise', async () => {
    const place = workplace();
    const recorded = await run(place, 'recorded', { package: { tests: { greets: 'echo hello' } } }, ['null']);
    renameSync(join(place, 'sample-1.0'), join(place, 'before'));
    const other = { package: { tests: { shouts: 'echo HELLO' } } };
    const replayed = await run(place, 'replayed', other, ['replay', recorded.out]);
    expect(replayed).toMatchObject({
      status: 20,
      cause: { class: 'replay-diverged', phase: 'exec', doing: 'following the recording' },
    });
    const { detail = '' } = replayed.cause ?? {};
    expect(detail).toMatch(
      /^the program's command \d+ is: \.{3}[^;]*shouts-artifacts[^;]*\.{3}; recorded as event \d+: command tb1\.x\d+: \.{3}[^;]*greets-artifacts/,
    );
    expect(detail.length).toBeLessThan(400);
    const loose = await run(place, 'loose', other, ['replay', recorded.out, '--loose']);
    expect(loose).toMatchObject({
      status: 0,
      summary: 'shouts               PASS\n',
      stdout: recorded.stdout.replace('greets', 'shouts'),
    });
  });

  test('of a run that was cut off ends where that does, and says so', async () => {
    const corpus = join(import.meta.dirname, '../traces/v1-killed-truncated');
    const place = workplace();
    const plan = { package: { tests: { lingers: 'echo begun\nexec sleep 1000' } } };
    const replayed = await run(place, 'replayed', plan, ['replay', corpus, '--loose']);
    expect(replayed).toMatchObject({ status: 20, cause: { class: 'replay-diverged' } });
    expect(replayed.cause?.detail).toContain('the recorded run was killed here');
  });

  test('is not there where there is no trace', async () => {
    const place = workplace();
    const ended = await run(place, 'replayed', { package: MANY }, ['replay', join(place, 'nothing')]);
    expect(ended).toMatchObject({ status: 20, cause: { class: 'wrong-usage' } });
    expect(ended.cause?.detail).toContain('there is no trace here');
  });
});

describeWith(['sshd', 'root'], 'a recorded testbed with an sshd', () => {
  const overSsh = (
    sshd: Awaited<ReturnType<typeof startSshServer>>,
    { hostKey = sshd.hostKey, address = sshd.address, identity = sshd.identity } = {},
  ) => ['ssh', '-H', address.host, '-p', String(address.port), '-i', identity, '--host-key', hostKey];
  const LINGERS = { tests: { lingers: 'echo begun\nexec sleep 1000' } };

  test('loses the connection where it lost it', async () => {
    const sshd = forThisTest(await startSshServer());
    const both = await recordedAndReplayed({ package: LINGERS }, overSsh(sshd), { during: () => sshd.killSessions() });
    expect(both.recorded).toMatchObject({ status: 16, cause: { class: 'connection-closed', phase: 'exec' } });
    expectSame(both);
  });

  test.each<[string, (sshd: Awaited<ReturnType<typeof startSshServer>>) => Promise<readonly string[]>]>([
    ['connection-refused', async (sshd) => overSsh(sshd, { address: (await vacantAddress()).address })],
    [
      'host-key-mismatch',
      async (sshd) => overSsh(sshd, { hostKey: 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }),
    ],
    ['auth-refused', async (sshd) => overSsh(sshd, { identity: forThisTest(await startSshServer()).identity })],
    [
      'not-an-ssh-server',
      async (sshd) =>
        overSsh(sshd, { address: forThisTest(await talkingServer('HTTP/1.1 400 Bad Request\r\n\r\n')).address }),
    ],
  ])('fails to be reached as it failed then: %s', async (causeClass, backend) => {
    const sshd = forThisTest(await startSshServer());
    const both = await recordedAndReplayed(
      { package: LINGERS, options: ['--deadline', 'ssh-ready=600'] },
      await backend(sshd),
    );
    expect(both.recorded).toMatchObject({ status: 16, cause: { class: causeClass, phase: 'ssh-ready' } });
    expectSame(both);
  });
});

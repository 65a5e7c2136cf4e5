import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Phase } from '../../../src/events/index.ts';
import { sessionEnvironment, startSshServer } from '../../faults/support/sshServer.ts';
import { silentServer } from '../../support/badServers.ts';
import { makeGate } from '../../support/gate.ts';
import { makeLifeline } from '../../support/lifeline.ts';
import { findProgram } from '../../support/needs.ts';
import { makePackage } from '../../support/packages.ts';
import { forThisTest, workplace } from '../../support/workplace.ts';
import { written } from '../../support/written.ts';
import { Cli, cli, ownState } from './cli.ts';

const GATED = fileURLToPath(new URL('../../fixtures/backends/gated.js', import.meta.url));
const REBOOTING = fileURLToPath(new URL('../../fixtures/embedders/rebooting.js', import.meta.url));

/** Where a run can be held, in the order in which a run comes there. */
export type Hold =
  | 'creating'
  | 'starting'
  | 'locating'
  | 'connecting'
  | 'copying the tree'
  | 'testing'
  | 'collecting artifacts'
  | 'between tests'
  | 'reverting'
  | 'rebooting'
  | 'stopping'
  | 'destroying';

/** Every hold with the phase that it is in. */
export const HOLDS: readonly (readonly [Hold, Phase])[] = [
  ['creating', 'provision'],
  ['starting', 'boot'],
  ['locating', 'boot'],
  ['connecting', 'ssh-ready'],
  ['copying the tree', 'copy'],
  ['testing', 'exec'],
  ['collecting artifacts', 'copy'],
  ['between tests', 'exec'],
  ['reverting', 'revert'],
  ['rebooting', 'reboot'],
  ['stopping', 'teardown'],
  ['destroying', 'teardown'],
];

/** Verbs of the backend that wait at its gate. */
const VERBS: Partial<Record<Hold, string>> = {
  creating: 'create',
  starting: 'start',
  locating: 'endpoint',
  reverting: 'reset',
  rebooting: 'restart',
  stopping: 'stop',
  destroying: 'destroy',
};

/** Programs of the testbed that do not end; they are told by their arguments. */
const PROGRAMS: Partial<Record<Hold, { name: string; pattern: string }>> = {
  'copying the tree': { name: 'tar', pattern: '-x*' },
  'collecting artifacts': { name: 'tar', pattern: '--create*' },
  'between tests': { name: 'rm', pattern: '*-artifacts' },
};

/** What a run has recorded where it is held, if it came there only just before. */
const RECORDED: Partial<Record<Hold, RegExp>> = {
  connecting: /"socket\.connected"/,
  'between tests': /"copy\.completed".*"copy":"tb1\.y2"/,
};

/** A run of the real program that stands still at an exact point. */
export interface HeldRun {
  readonly running: Cli;
  readonly run: string;
  readonly env: Readonly<Record<string, string>>;
  /** How the trace is named to the other verbs. */
  readonly trace: string;
  /** Where the testbed is made: empty before and after. */
  readonly place: string;
  /** Resolves when what holds the run in the testbed is gone. */
  readonly released: Promise<void>;
  /** Lets a verb that waits at its gate go on. */
  letGo(): void;
}

/** Details of a held run. */
export interface HoldOptions {
  /** What holds the run heeds neither a cancellation nor SIGTERM. */
  readonly stubborn?: boolean;
  /** Further options of the backend. */
  readonly backend?: readonly string[];
}

/** Starts a run, with a real sshd as its testbed, and waits until it is held. */
export async function holdRun(hold: Hold, options: HoldOptions = {}): Promise<HeldRun> {
  const { stubborn = false } = options;
  const place = workplace();
  const testbed = join(place, 'testbeds');
  mkdirSync(testbed);
  const lifeline = forThisTest(makeLifeline(place));
  const gate = forThisTest(await makeGate());
  const deaf = stubborn ? "trap '' TERM HUP INT; " : '';
  const marker = join(place, 'tested');
  const { sshd, address } = await sshServer(hold, place, `${deaf}${lifeline.linger}`, marker);
  // Nothing is deaf in a connection: without this the run may be over before a second signal comes.
  const gated = VERBS[hold] ?? (hold === 'connecting' && stubborn ? 'stop' : '');
  const words = [
    GATED,
    ...['--host', address.host, '--port', String(address.port), '--login', sshd.login],
    ...['--identity', sshd.identity, '--host-key', sshd.hostKey, '--place', testbed],
    ...['--gate', gated, '--gate-port', String(gate.port), ...(stubborn ? ['--stubborn'] : [])],
    ...(hold === 'reverting' ? ['--ability', 'revert'] : []),
    ...(hold === 'rebooting' ? ['--ability', 'reboot'] : []),
    ...(options.backend ?? []),
  ];
  const env = ownState();
  const trace = join(place, 'trace');
  const running =
    hold === 'rebooting'
      ? new Cli([trace, ...words], { env, program: REBOOTING })
      : new Cli(['run', '--json', '--trace', trace, ...outputDir(place), source(hold), '--', ...words], { env });
  const { run } = await running.event('run.started');
  if (hold in VERBS) await gate.arrived;
  else if (hold === 'connecting') await running.event('socket.connected');
  else await lifeline.held;
  // A killed run may lose what it recorded last, and with that the phase that it was in.
  const recorded = RECORDED[hold];
  if (recorded !== undefined) await written(join(trace, 'events.jsonl'), recorded);
  if (hold in VERBS)
    await running.event('resource.acquired', ({ kind, name }) => kind === 'directory' && name.startsWith(testbed));
  return { running, run, env, trace, place: testbed, released: lifeline.released, letGo: () => gate.open() };

  function source(held: Hold): string {
    const first = `echo it > "$AUTOPKGTEST_ARTIFACTS/artifact"; : > '${marker}'`;
    const tests = { first: held === 'testing' ? `${deaf}${lifeline.linger}` : first, second: 'true' };
    return makePackage(place, { tests });
  }
}

function outputDir(place: string): string[] {
  return ['-o', join(place, 'output')];
}

/** An sshd whose sessions find the program that lingers before the real one. */
async function sshServer(hold: Hold, place: string, linger: string, marker: string) {
  const bin = join(place, 'bin');
  const scratch = join(place, 'scratch');
  mkdirSync(bin);
  mkdirSync(scratch, { mode: 0o1777 });
  const program = PROGRAMS[hold];
  if (program !== undefined) {
    const file = join(bin, program.name);
    const real = findProgram(program.name);
    const ready = hold === 'between tests' ? `[ -e '${marker}' ] && ` : '';
    writeFileSync(
      file,
      `#!/bin/sh\nif ${ready}case "$*" in ${program.pattern}) true;; *) false;; esac; then ${linger}; fi\nexec ${real} "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  const sshd = forThisTest(
    await startSshServer([
      sessionEnvironment({ PATH: `${bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`, TMPDIR: scratch }),
    ]),
  );
  const address = hold === 'connecting' ? forThisTest(await silentServer()).address : sshd.address;
  return { sshd, address };
}

/** What `trundle explain` makes of a run. */
export async function explanation(held: Pick<HeldRun, 'trace' | 'env'>) {
  const { status, stdout, stderr } = await cli(['explain', '--json', held.trace], { env: held.env });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Whether something that a trace names is still there, as anybody could see it. */
export function stands({ kind, name }: { kind: string; name: string }): boolean {
  if (kind !== 'process') return existsSync(name);
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${name}/status`, 'utf8'));
  } catch {
    return false;
  }
}

import { type Clock, systemClock, type TrundleEvent } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { causeLine } from '../failures.ts';
import { HEADING, type RunLog } from '../output/RunLog.ts';
import { Turns } from '../output/Turns.ts';
import { answered } from './answered.ts';
import type { KeptTestbeds } from './KeptTestbeds.ts';
import type { Supply, TreeRun } from './testPackage.ts';
import { WarmTestbed } from './WarmTestbed.ts';
import type { WholeRun } from './wholeRun.ts';

/** What packages are tested with. */
export interface TurnsOptions {
  readonly run: Run;
  readonly whole: WholeRun;
  readonly kept: KeptTestbeds;
  /** Of the whole run. */
  readonly log: RunLog;
  /** How many testbeds there may be at once. */
  readonly testbeds: number;
  /** Tests one; tells the run, and does not throw, what goes wrong. True where its log tells all of that. */
  readonly test: (treeRun: TreeRun, testbeds: number, supply: Supply) => Promise<boolean>;
}

/**
 * Tests packages, as many at once as there may be testbeds; where there may be more than that, each package has its share.
 * All that is said of them is in their order. Whatever becomes of one, the next has its turn; only what ends the run
 * ends them all.
 */
export async function inTurns(packages: readonly TreeRun[], options: TurnsOptions): Promise<void> {
  const { run, whole, kept, log, testbeds, test } = options;
  const turns = new Turns(log.entries);
  const waiting = packages.map((treeRun) => ({ treeRun, turn: turns.take() }));
  const atOnce = Math.min(testbeds, packages.length);
  const share = Math.floor(testbeds / atOnce);
  const lasting = packages.every(({ options }) => options.backend.lasting === true);
  const next = () => (whole.signal.aborted ? undefined : waiting.shift());

  const work = async () => {
    const warm = new WarmTestbed({ run, signal: whole.signal, kept, wanted: () => waiting.length > 0, lasting });
    for (let taken = next(); taken !== undefined; taken = next()) {
      const { treeRun, turn } = taken;
      treeRun.part?.speakInto(turn);
      try {
        await one(treeRun, run, () => test(treeRun, share, warm.supplyFor(treeRun.subject.name ?? '')));
      } finally {
        turn.end();
      }
    }
    await warm.end(log);
  };
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, work));
  for (const { turn } of waiting) turn.end();
  await turns.heard();
  log.summarize();
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function one(treeRun: TreeRun, run: Run, test: () => Promise<boolean>): Promise<void> {
  const { subject, log, options } = treeRun;
  const name = subject.name ?? '';
  log.info(`${HEADING} package ${name}`);
  run.emit({ type: 'package.started', testbed: null, from: 'runner', package: name, source: subject.source.argument });
  const told = await test();
  const { exitCode, cause } = await concluded(run, options.clock ?? systemClock, name);
  if (cause !== null && !told && exitCode >= 16 && exitCode <= 20) {
    const line = causeLine(cause);
    log.error(line);
    log.conclusion(line);
  }
  log.info(`package ${name}: exit code ${exitCode}`);
}

function concluded(run: Run, clock: Clock, name: string): Promise<TrundleEvent<'package.concluded'>> {
  const isAnswer = (event: TrundleEvent): event is TrundleEvent<'package.concluded'> =>
    event.type === 'package.concluded' && event.package === name;
  const tell = () => run.emit({ type: 'package.finished', testbed: null, from: 'runner', package: name });
  return answered(run, clock, { what: `package ${name}`, isAnswer, tell });
}

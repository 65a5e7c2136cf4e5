import { statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createMachines } from '../../testbed/index.ts';
import {
  type DifferentReplay,
  type Expected,
  expectationOf,
  type GateResult,
  gate,
  type Replay,
  readTrace,
  replay,
  type SameReplay,
  tracesBelow,
} from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { traceArgument } from '../live/traceArgument.ts';
import { UsageError } from '../UsageError.ts';
import type { ReplaySettings } from '../verbs/replay.ts';

/** Folds traces through today's machines. @returns the exit code: 0 the same, 1 different, 20 one cannot be read */
export async function replayTraces(words: readonly string[], settings: ReplaySettings, io: Io): Promise<number> {
  const [first] = words;
  const several = words.length > 1 || settings.update === true || (first !== undefined && holdsTraces(first));
  if (several) return await replayAll(words, settings, io);
  const trace = await readTrace(await traceArgument(first, settings.last ?? false, io.env), { skip: true });
  const replayed = await replay(trace, { createMachines });
  if (settings.json === true) io.document({ run: trace.header.run, trace: trace.directory, ...plain(replayed) });
  else io.stdout.write(renderReplay(trace.header.run, replayed));
  if (!replayed.same) return 1;
  return replayed.damage.length === 0 ? 0 : 20;
}

/** Damage in words: an error has no JSON. */
function plain(replayed: Replay): object {
  return replayed.same ? { ...replayed, damage: replayed.damage.map(({ message }) => message) } : replayed;
}

/** Whether a path is a directory of traces, not a trace. */
function holdsTraces(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return false;
  const found = tracesBelow(path);
  const isOne = found.length === 1 && (found[0] === path || found[0] === join(path, 'trace'));
  return found.length > 0 && !isOne;
}

async function replayAll(words: readonly string[], { update, json, last }: ReplaySettings, io: Io): Promise<number> {
  if (last === true) throw new UsageError('--last is one trace');
  const paths: string[] = [];
  for (const word of words) {
    paths.push(...(holdsTraces(word) ? tracesBelow(word) : [await traceArgument(word, false, io.env)]));
  }
  if (paths.length === 0) throw new UsageError('there is no trace to replay');
  const begun = performance.now();
  const results: GateResult[] = [];
  for (const path of paths) results.push(await gate(path, { createMachines }));
  const ms = Math.round(performance.now() - begun);
  if (update === true) writeExpectations(results);
  const wrong = results.filter(
    ({ problem, replay }) => problem !== null && !(update === true && replay?.same === true),
  );
  const events = results.reduce((sum, each) => sum + (each.replay?.same === true ? each.replay.events : 0), 0);
  if (json === true) io.document({ traces: results.length, events, ms, failed: wrong.length, results });
  else {
    for (const result of wrong) io.stdout.write(renderWrong(result));
    const verdict = wrong.length === 0 ? 'all as expected' : `${wrong.length} not as expected`;
    io.stdout.write(`${results.length} traces, ${events} events, ${(ms / 1000).toFixed(1)} s: ${verdict}.\n`);
  }
  if (wrong.some(({ replay }) => replay === null)) return 20;
  return wrong.length === 0 ? 0 : 1;
}

function renderWrong({ trace, run, replay: replayed, problem }: GateResult): string {
  const detail = replayed !== null && !replayed.same ? renderReplay(run ?? '', replayed).trimEnd() : '';
  return `${trace}: ${problem}\n${detail === '' ? '' : `${detail.replaceAll(/^/gm, '  ')}\n`}`;
}

/** Writes down, beside the traces, the ends that they have. */
function writeExpectations(results: readonly GateResult[]): void {
  const byDirectory = new Map<string, Record<string, Expected>>();
  for (const result of results) {
    const expectation = expectationOf(result);
    if (expectation === null) continue;
    const directory = dirname(result.trace);
    byDirectory.set(directory, { ...byDirectory.get(directory), [basename(result.trace)]: expectation });
  }
  for (const [directory, all] of byDirectory)
    writeFileSync(join(directory, 'expected.json'), `${JSON.stringify(all, null, 2)}\n`);
}

/** A replay in words. Pure. */
export function renderReplay(run: string, replayed: Replay): string {
  return replayed.same ? same(run, replayed) : different(run, replayed);
}

function same(run: string, replayed: SameReplay): string {
  const { events, decisions, verdict, damage } = replayed;
  if (damage.length > 0) return damaged(run, replayed);
  const what = `${events} events, ${decisions} decisions`;
  if (verdict === null)
    return `Run ${run}: the same as far as it goes (${what}). The trace has no verdict: the run was cut off.\n`;
  const cause = verdict.cause === null ? '' : `, ${verdict.cause.class} while ${verdict.cause.doing}`;
  return `Run ${run}: the same (${what}), to the same verdict: exit code ${verdict.exitCode}${cause}.\n`;
}

function damaged(run: string, { events, decisions, verdict, damage }: SameReplay): string {
  const end =
    verdict === null
      ? 'No verdict can be read in it.'
      : `The verdict that stands in it, and is not proved: exit code ${verdict.exitCode}${verdict.cause === null ? '' : `, ${verdict.cause.class} while ${verdict.cause.doing}`}.`;
  return [
    `Run ${run}: the trace cannot be read as a whole.`,
    ...damage.map(({ message }) => `  ${message}`),
    events === 0
      ? 'Nothing before that can be proved.'
      : `What stands before is decided the same (${events} events, ${decisions} decisions).`,
    end,
    '',
  ].join('\n');
}

function different(run: string, { at, machine, recorded, now }: DifferentReplay): string {
  const who = machine === null ? '' : `, machine ${machine}`;
  const shown = (value: unknown) => (value === null ? 'nothing' : JSON.stringify(value));
  return `Run ${run}: different at event ${at}${who}.\n  recorded  ${shown(recorded)}\n  now       ${shown(now)}\n`;
}

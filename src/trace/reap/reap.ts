import { basename, resolve } from 'node:path';
import { type Clock, exitCodeOf, type TrundleEvent } from '../../events/index.ts';
import type { Owner } from '../contract.ts';
import { removalCommand } from '../explain/removalCommand.ts';
import { messageOf } from '../files.ts';
import { foldConclusion, foldKept, foldResources, isEvent, type Resource } from '../folds.ts';
import { livenessOf, thisProcess } from '../owner.ts';
import { readTrace, type Trace } from '../readTrace.ts';
import { type Environment, forgetRun, type KnownRun, listRuns, runsDirectory } from '../registry.ts';
import { foldStage, type Stage } from '../stage.ts';
import { TraceError } from '../TraceError.ts';
import { Continuation } from './Continuation.ts';
import { claim } from './claim.ts';
import { heldByLiving, isByName } from './living.ts';
import { release } from './release.ts';

/** How to reap. */
export interface ReapOptions {
  /** Ids of registered runs, or directories of traces (with a slash); all registered runs if absent. */
  runs?: readonly string[];
  clock: Clock;
  log?: (message: string) => void;
  env?: Environment;
  /** Milliseconds since 1970, for the times of the events that are added. */
  wallClock?: () => number;
  /** This process, as others see it. */
  self?: Owner;
  /** Strikes runs whose trace is gone from the registry. */
  forget?: boolean;
}

/** A resource of which something is told. */
export interface NamedResource {
  resource: string;
  kind: Resource['kind'];
  name: string;
}

/** A resource that was not removed. */
export interface LeftResource extends NamedResource {
  reason: string;
  /** The command line that a person would type; null where none is known. */
  command: string | null;
}

/** What became of one run. */
export interface ReapedRun {
  run: string;
  trace: string;
  /**
   * `kept`: it has ended, and only testbeds that somebody wanted to keep are left, which nobody asked to remove here.
   * `finished`: it was dead, and what it left is seen to. `clean`: it has ended and left nothing. `alive`: its runner
   * lives. `elsewhere`: its runner runs, or ran, where this process cannot see it. `busy`: another reap is at it.
   * `unreadable`: the trace cannot be read or added to, `problem` says why. `lost`: it was dead, and its trace is gone,
   * so that nobody can say what it left. `forgotten`: it was lost, and is struck from the registry as it was asked.
   */
  outcome: 'kept' | 'finished' | 'clean' | 'alive' | 'elsewhere' | 'busy' | 'unreadable' | 'lost' | 'forgotten';
  released: readonly NamedResource[];
  /** Those that were gone already, with what is known of that: what bears the name now, if anything, is another's. */
  gone: readonly (NamedResource & { reason: string })[];
  left: readonly LeftResource[];
  /** Testbeds that stay on purpose, with the command by which a person gets in. */
  kept: readonly { testbed: string; enter: readonly string[] }[];
  /** The trace had no end and was given one: cause `runner-killed`, exit code 20. */
  concluded: boolean;
  problem: string | null;
}

/** What a trace says of a run whose end is to be seen to. */
interface Remains {
  /** Those that are to be removed. */
  resources: readonly Resource[];
  kept: ReapedRun['kept'];
  concluded: boolean;
  stage: Stage;
  lastSeq: number;
  lastAt: number;
  /** Where the trace is damaged: what comes after is not known. */
  damage: TraceError | null;
}

/**
 * Finishes runs whose runner is dead: removes the resources that their traces have left, youngest first, writes
 * that down, and gives a trace without an end the cause `runner-killed`. Runs that live are never touched, and two
 * reaps never work on the same run. What stays on purpose is removed only where its run is named.
 */
export async function reap(options: ReapOptions): Promise<ReapedRun[]> {
  const reaped: ReapedRun[] = [];
  for (const target of await targets(options)) reaped.push(await reapRun(target, options));
  return reaped;
}

/** A run to look at. */
interface Target {
  run: string;
  trace: string;
  /** Null where the registry knows nothing of it. */
  known: KnownRun | null;
}

async function targets({ runs, env, self }: ReapOptions): Promise<Target[]> {
  const known = (await listRuns(env, self)).map((each) => ({ run: each.run, trace: each.trace, known: each }));
  if (runs === undefined) return known;
  return runs.map((run) => {
    if (run.includes('/')) {
      const trace = resolve(run);
      return known.find((each) => each.trace === trace) ?? { run: basename(trace), trace, known: null };
    }
    const found = known.find((each) => each.run === run);
    if (found !== undefined) return found;
    const names = known.map((each) => each.run).join(', ') || 'none';
    throw new RangeError(`no run is called ${run}; give the directory of its trace (with a slash), or one of ${names}`);
  });
}

/** What became of a run whose trace is gone, by what the registry knows of it. */
function withoutTrace(known: KnownRun, { forget = false, env }: ReapOptions): ReapedRun['outcome'] {
  if (known.owner !== 'dead') return known.owner === 'alive' ? 'alive' : 'elsewhere';
  if (known.concluded) return 'clean';
  if (!forget) return 'lost';
  forgetRun(known.run, env);
  return 'forgotten';
}

async function reapRun({ run, trace: path, known }: Target, options: ReapOptions): Promise<ReapedRun> {
  const none = { run, trace: path, released: [], gone: [], left: [], kept: [], concluded: false, problem: null };
  const self = options.self ?? thisProcess();
  if (known?.missing) return { ...none, outcome: withoutTrace(known, options), problem: known.problem };
  try {
    const trace = await readTrace(path);
    const named = { ...none, run: trace.header.run, trace: trace.directory };
    const liveness = livenessOf(trace.header.owner, self);
    if (liveness !== 'dead') return { ...named, outcome: liveness === 'alive' ? 'alive' : 'elsewhere' };
    const before = await remainsOf(trace, options);
    if (before.damage !== null) {
      // What the trace can no longer tell may have been released, or taken by others: a person must look.
      const left = before.resources.map((resource) => leftOver(resource, 'the trace is damaged after it was taken'));
      return { ...named, outcome: 'unreadable', left, problem: before.damage.message };
    }
    if (before.concluded && before.resources.length === 0) return { ...named, ...nothingToDo(before) };
    const giveBack = await claim(trace.directory, self, options.clock);
    if (giveBack === null) return { ...named, outcome: 'busy' };
    try {
      return { ...named, ...(await finish(trace, options)) };
    } finally {
      giveBack();
    }
  } catch (error) {
    return { ...none, outcome: 'unreadable', problem: messageOf(error) };
  }
}

async function finish(trace: Trace, options: ReapOptions): Promise<Omit<ReapedRun, 'run' | 'trace'>> {
  const { clock, log = () => {}, env, wallClock = Date.now, self = thisProcess() } = options;
  // Again, now that nobody else is at it: another reap may just have ended.
  const remains = await remainsOf(trace, options);
  if (remains.damage !== null || trace.end === null)
    throw remains.damage ?? new Error(`${trace.file} was not read to its end`);
  const { kept } = remains;
  if (remains.concluded && remains.resources.length === 0)
    return { ...nothingToDo(remains), released: [], gone: [], left: [], concluded: false, problem: null };
  const holder = remains.resources.some(isByName) ? await heldByLiving(env, self) : () => null;
  const continuation = new Continuation(trace, trace.end, remains.lastAt, wallClock);
  const released: NamedResource[] = [];
  const gone: (NamedResource & { reason: string })[] = [];
  const left: LeftResource[] = [];
  try {
    for (const resource of remains.resources.toReversed()) {
      const { resource: id, kind, name, testbed } = resource;
      const end = await release(resource, { clock, inUse: [trace.directory, runsDirectory(env)], holder });
      const why = end.became === 'removed' ? '' : `: ${end.why}`;
      log(`run ${trace.header.run}: ${kind} ${name} is ${end.became}${why}`);
      if (end.became === 'left') {
        left.push({ resource: id, kind, name, reason: end.why, command: end.command });
        continue;
      }
      if (end.became === 'removed') released.push({ resource: id, kind, name });
      else gone.push({ resource: id, kind, name, reason: end.why });
      continuation.append({ type: 'resource.released', testbed, from: 'operator', resource: id });
    }
    if (!remains.concluded) conclude(continuation, remains);
    return { outcome: 'finished', released, gone, left, kept, concluded: !remains.concluded, problem: null };
  } catch (error) {
    // What was removed stays removed, whether or not the trace can be told; the next reap finds it gone.
    return { outcome: 'unreadable', released, gone, left, kept, concluded: false, problem: messageOf(error) };
  } finally {
    continuation.close();
  }
}

function conclude(continuation: Continuation, { stage, lastSeq }: Remains): void {
  const { phase, doing } = stage;
  const detail = 'the runner was gone, and its trace had no end';
  const cause = { class: 'runner-killed' as const, phase, doing, detail, evidence: lastSeq === 0 ? [] : [lastSeq] };
  continuation.append({
    type: 'run.concluded',
    testbed: null,
    from: 'operator',
    exitCode: exitCodeOf(cause.class),
    cause,
  });
}

function nothingToDo({ kept }: Remains): Pick<ReapedRun, 'outcome' | 'kept'> {
  return { outcome: kept.length > 0 ? 'kept' : 'clean', kept };
}

async function remainsOf(trace: Trace, { runs }: ReapOptions): Promise<Remains> {
  const folds = { resources: foldResources(), kept: foldKept(), conclusion: foldConclusion(), stage: foldStage() };
  let damage: TraceError | null = null;
  let lastSeq = 0;
  let lastAt = 0;
  try {
    for await (const lines of trace.batches()) {
      for (const line of lines) {
        if (!isEvent(line)) continue;
        for (const each of Object.values(folds)) each.see(line);
        lastSeq = line.seq;
        lastAt = line.at;
      }
    }
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    damage = error;
  }
  const concluded = folds.conclusion.result() !== null;
  const kept = runs === undefined ? folds.kept.result() : new Map<string, TrundleEvent<'testbed.kept'>>();
  const stays = ({ resource, testbed }: Resource) => kept.get(testbed ?? '')?.resources.includes(resource) === true;
  return {
    resources: folds.resources.result().filter((resource) => !stays(resource)),
    kept: [...kept].map(([testbed, { enter }]) => ({ testbed, enter })),
    concluded,
    stage: folds.stage.result(),
    ...{ lastSeq, lastAt, damage },
  };
}

function leftOver(resource: Resource, reason: string): LeftResource {
  const { resource: id, kind, name } = resource;
  return { resource: id, kind, name, reason, command: removalCommand(resource) };
}

import type { TrundleEvent } from '../../events/index.ts';
import type { TraceLine } from '../contract.ts';
import { describeEvent } from '../explain/describeEvent.ts';
import { foldConclusion, foldTests, isEvent, type TestRecord } from '../folds.ts';
import type { Trace } from '../readTrace.ts';
import { TraceError } from '../TraceError.ts';
import type { ComparedRun, ConsoleLine, Step } from './contract.ts';
import { essence, type Lane, Lanes } from './lanes.ts';
import { foldSpans } from './spans.ts';
import { foldSurroundings, type Surroundings } from './surroundings.ts';

/** One machine's way through a run. */
export interface Way {
  lane: Lane;
  steps: readonly Step[];
  /** For each step what must be the same in the other run. */
  keys: readonly string[];
}

/** All of a trace that a comparison looks at. */
export interface Side {
  run: ComparedRun;
  ways: ReadonlyMap<string, Way>;
  tests: readonly TestRecord[];
  spans: ReadonlyMap<string, number>;
  surroundings: Surroundings;
  console: readonly ConsoleLine[];
}

interface Building {
  lane: Lane;
  steps: Step[];
  keys: string[];
}

/** Reads one side. What stands before a damaged line is compared all the same. @throws TraceError */
export async function readSide(trace: Trace): Promise<Side> {
  const { run } = trace.header;
  const lanes = new Lanes(run);
  const ways = new Map<string, Building>();
  const folds = {
    conclusion: foldConclusion(),
    tests: foldTests(),
    spans: foldSpans(),
    surroundings: foldSurroundings(trace),
  };
  const console: ConsoleLine[] = [];
  let last: { seq: number; way: Building; event: TrundleEvent } | null = null;
  let events = 0;
  const see = (line: TraceLine) => {
    if (!isEvent(line)) {
      if (last === null || last.seq !== line.d || !concerns(last.way.lane, line.m)) return;
      (last.way.steps.at(-1) as Step).state = line.s;
      last.way.keys[last.way.keys.length - 1] += ` -> ${line.s}`;
      return;
    }
    events++;
    for (const each of Object.values(folds)) each.see(line);
    if (line.type === 'console.printed') console.push({ seq: line.seq, at: line.at, line: line.line });
    const lane = lanes.of(line);
    last = null;
    if (lane === null) return;
    let way = ways.get(lane.key);
    if (way === undefined) {
      way = { lane, steps: [], keys: [] };
      ways.set(lane.key, way);
    }
    way.steps.push({ seq: line.seq, at: line.at, type: line.type, state: null, text: describeEvent(line) });
    way.keys.push(essence(line, run));
    last = { seq: line.seq, way, event: line };
  };
  const truncated = await readAll(trace, see);
  const conclusion = folds.conclusion.result();
  return {
    run: {
      run,
      trace: trace.directory,
      started: trace.header.started,
      trundle: trace.header.trundle,
      exitCode: conclusion?.exitCode ?? null,
      cause: conclusion?.cause ?? null,
      events,
      truncated,
    },
    ways,
    tests: folds.tests.result(),
    spans: folds.spans.result(),
    surroundings: await folds.surroundings.read(),
    console,
  };
}

/** @returns whether the trace ends otherwise than with a whole line */
async function readAll(trace: Trace, see: (line: TraceLine) => void): Promise<boolean> {
  try {
    for await (const lines of trace.batches()) for (const line of lines) see(line);
    return trace.end?.truncated ?? false;
  } catch (error) {
    if (error instanceof TraceError && (error.place?.lastSeq ?? 0) > 0) return true;
    throw error;
  }
}

function concerns(lane: Lane, machine: string): boolean {
  return lane.name === machine;
}

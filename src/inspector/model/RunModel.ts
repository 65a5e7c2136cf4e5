import type { Cause, Command, TrundleEvent } from '../../events/index.ts';
import { type DecisionLine, foldStage, type TraceHeader } from '../../trace/pure.ts';
import type { ChartPicture, Notice } from '../contract.ts';
import { isFailure } from './failures.ts';

/** A machine's state from one event on. */
export interface Step {
  readonly seq: number;
  readonly state: string;
  readonly commands: readonly Command[];
}

/** What is known of one machine. */
export interface MachineTrack {
  /** `kind:subject`. */
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly steps: Step[];
  /** Seq of the event with which it was done; null while it lives. */
  ended: number | null;
}

/** A piece of output: which event told of it, and where its bytes are. */
export interface Chunk {
  readonly seq: number;
  readonly offset: number;
  readonly bytes: number;
}

/** What came over one stream. */
export interface StreamTrack {
  readonly name: string;
  readonly chunks: Chunk[];
}

/** Everything that a page shows of a run is folded from its lines, in the order in which they come. */
export class RunModel {
  header: TraceHeader | null = null;
  readonly events: TrundleEvent[] = [];
  /** Each event's own line, for search and payload. */
  readonly raws: string[] = [];
  readonly machines = new Map<string, MachineTrack>();
  readonly streams = new Map<string, StreamTrack>();
  /** Seqs of events that tell of something gone wrong. */
  readonly failures: number[] = [];
  /** Machines of which the event with this seq changed something. */
  readonly movers = new Map<number, string[]>();
  readonly charts = new Map<string, ChartPicture>();
  start: TrundleEvent<'run.started'> | null = null;
  conclusion: TrundleEvent<'run.concluded'> | null = null;
  /** Whether lines still come from a run that goes. */
  live = false;
  /** Whether nothing more will come. */
  complete = false;
  problem: string | null = null;
  /** Grows with every change, so that whoever shows the model knows of it. */
  version = 0;

  readonly #stage = foldStage();

  constructor(charts: readonly ChartPicture[]) {
    for (const chart of charts) this.charts.set(chart.kind, chart);
  }

  /** Takes lines in. A line that is no JSON is left out: the server has told what is wrong with it. */
  take(lines: readonly string[]): void {
    for (const line of lines) if (line !== '') this.#takeLine(line);
    this.version++;
  }

  /** What the run was about when its last event came. */
  get doing(): string {
    return this.#stage.result().doing;
  }

  get last(): number {
    return this.events.length;
  }

  event(seq: number): TrundleEvent | null {
    return this.events[seq - 1] ?? null;
  }

  get cause(): Cause | null {
    return this.conclusion?.cause ?? null;
  }

  /** Bytes of each stream, by who printed last. */
  sizes(): Map<string, number> {
    const ends = [...this.streams.values()].flatMap(({ name, chunks }) => {
      const last = chunks.at(-1);
      return last === undefined || name === 'console' ? [] : [{ name, seq: last.seq, size: last.offset + last.bytes }];
    });
    return new Map(ends.sort((a, b) => a.seq - b.seq).map(({ name, size }) => [name, size]));
  }

  /** A machine's step that counts at an event; null before its first. */
  stepAt(track: MachineTrack, seq: number): Step | null {
    return track.steps[lastAtMost(track.steps, seq)] ?? null;
  }

  #takeLine(line: string): void {
    let value: Record<string, unknown>;
    try {
      value = JSON.parse(line);
    } catch {
      return;
    }
    if ('d' in value) this.#decided(value as unknown as DecisionLine);
    else if ('seq' in value) this.#happened(value as unknown as TrundleEvent, line);
    else if ('trundle' in value) this.header = value as unknown as TraceHeader;
    else if ('i' in value) this.#noticed(value as unknown as Notice);
  }

  #noticed(notice: Notice): void {
    if (notice.i === 'live') this.live = true;
    else if (notice.i === 'chart') this.charts.set(notice.chart.kind, notice.chart);
    else if (notice.i === 'chartless') this.problem = `There is no chart of ${notice.kind}: ${notice.problem}`;
    else {
      this.live = false;
      this.complete = true;
      this.problem ??= notice.problem;
    }
  }

  #happened(event: TrundleEvent, line: string): void {
    this.events.push(event);
    this.raws.push(line);
    if (isFailure(event)) this.failures.push(event.seq);
    // Events of a foreign system may be called like ours and mean something else.
    if ('say' in event) return;
    this.#stage.see(event);
    if (event.type === 'command.output') {
      this.#stream(`${event.command}.${event.stream}`).chunks.push({
        seq: event.seq,
        offset: event.offset,
        bytes: event.bytes,
      });
    } else if (event.type === 'console.printed')
      this.#stream('console').chunks.push({ seq: event.seq, offset: 0, bytes: 0 });
    else if (event.type === 'run.started') this.start = event;
    else if (event.type === 'run.concluded') this.conclusion = event;
  }

  #decided({ d, m, s, c = [] }: DecisionLine): void {
    let track = this.machines.get(m);
    if (track === undefined || track.ended !== null) {
      const colon = m.indexOf(':');
      const [kind, subject] = [m.slice(0, colon), m.slice(colon + 1)];
      // A machine of the same name after one that is done (a second reboot) goes on in the same lane.
      if (track === undefined) track = { id: m, kind, subject, steps: [], ended: null };
      track.ended = null;
      this.machines.set(m, track);
    }
    track.steps.push({ seq: d, state: s, commands: c });
    if (this.charts.get(track.kind)?.finals.includes(s) === true) track.ended = d;
    const movers = this.movers.get(d);
    if (movers === undefined) this.movers.set(d, [m]);
    else movers.push(m);
  }

  #stream(name: string): StreamTrack {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = { name, chunks: [] };
      this.streams.set(name, stream);
    }
    return stream;
  }
}

/** Index of the last item with at most this seq; -1 where there is none. Items are in order. Pure. */
export function lastAtMost(items: readonly { readonly seq: number }[], seq: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((items[middle]?.seq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

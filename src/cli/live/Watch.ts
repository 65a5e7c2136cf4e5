import { systemClock } from '../../events/index.ts';
import type { Run } from '../../testbed/index.ts';
import { foldSettled } from '../../trace/index.ts';
import { type Io, leaveNow } from '../Io.ts';
import { type Colors, canDraw, colorsFor } from './colors.ts';
import { type Log, logRun, openDebugLog } from './debugLog.ts';
import { endingSignals } from './endingSignals.ts';
import { followRun } from './followRun.ts';
import { Screen } from './Screen.ts';
import { Supervisor } from './Supervisor.ts';
import { makeKnown, makeSettled, type TraceHome } from './traceHome.ts';

/** How a run is watched. */
export interface WatchOptions {
  /** Logs everything on stderr. */
  readonly debug: boolean;
  /** Draws a status line on a terminal. */
  readonly live: boolean;
  /** Prints lines about the testbed where there is no terminal. */
  readonly lines: boolean;
  /** Strings that must not get into the log. */
  readonly secrets?: readonly string[];
}

/** The process's side of one run: what a person sees of it, and what signals and faults do to it. */
export class Watch {
  readonly screen: Screen;
  readonly colors: Colors;
  readonly log: Log | null;
  /** Whoever read our output has left; what became of it is no news then. */
  readerGone = false;
  readonly #io: Io;
  readonly #options: WatchOptions;
  #supervisor: Supervisor | null = null;
  #unfollow: (() => void) | null = null;
  #settled = false;
  #settle: () => void = () => {};

  private constructor(io: Io, options: WatchOptions, screen: Screen, log: Log | null) {
    this.#io = io;
    this.#options = options;
    this.screen = screen;
    this.colors = colorsFor(io.stderr, io.env);
    this.log = log;
  }

  static async open(io: Io, options: WatchOptions): Promise<Watch> {
    const screen = new Screen(io.stdout, io.stderr, options.live && canDraw(io.stderr, io.env));
    const log = options.debug ? await openDebugLog(screen.stderr, io.stderr.isTTY === true, options.secrets) : null;
    return new Watch(io, options, screen, log);
  }

  /** Begins, before anything happens in the run. */
  begin(run: Run, home: TraceHome, { keeps = false }: { keeps?: boolean } = {}): void {
    const clock = systemClock;
    makeKnown(home, (message) => this.say(message), this.#io.env);
    this.#supervisor = new Supervisor(run, {
      ...{ clock, keeps, signals: endingSignals(this.#io.env), leave: leaveNow },
      say: (message) => this.say(message),
    });
    if (this.log !== null) logRun(run, this.log);
    this.#settle = this.#settling(run, home);
    this.#unfollow = followRun(run, { screen: this.screen, colors: this.colors, clock, lines: this.#options.lines });
  }

  /** Whoever read our output has left: ends the run in order, as SIGPIPE would end a program. */
  endForLackOfReader(): void {
    if (this.readerGone) return;
    this.readerGone = true;
    this.#supervisor?.interrupt('SIGPIPE');
  }

  /** The run is over; what there is to tell of it is written until {@link release}. */
  end(): void {
    this.#unfollow?.();
    this.#supervisor?.end();
    this.#settle();
  }

  /** All is written about the run: a signal that came meanwhile ends the process now. */
  release(): void {
    this.#supervisor?.release();
  }

  /** Whether the run is over and has left nothing. */
  get settled(): boolean {
    return this.#settled;
  }

  #settling(run: Run, home: TraceHome): () => void {
    const settled = foldSettled();
    run.events$.subscribe((event) => settled.see(event));
    return () => {
      this.#settled = settled.result();
      if (this.#settled) makeSettled(home, (message) => this.say(message), this.#io.env);
    };
  }

  /** Tells a person something, as a line of its own. */
  say(message: string): void {
    this.screen.stderr.write(`${this.colors.yellow('trundle:')} ${message}\n`);
  }
}

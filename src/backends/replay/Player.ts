import type { Clock, Failure } from '../../events/index.ts';
import type { AnsweredChannel, AnsweredConnection, ConnectionPlan, ExecRequest } from '../../standin/index.ts';
import type { Cue, RecordedCommand, RecordedTestbed, RecordedVerb } from '../../trace/index.ts';
import { answerIdentity, answerSurvivors, markers, sayWhy } from './answers.ts';
import { type AskedLine, readAsked, readScript } from './asked.ts';
import { around, aroundDifference, isSame } from './difference.ts';
import { outputOf } from './output.ts';

/** Milliseconds after which a question that was recorded, and is not asked, is passed over: others wait. */
const GRACE = 2_000;
/** Milliseconds that the program may think longer than it did when it was recorded. */
const PATIENCE = 60_000;

/** What a player needs. */
export interface PlayerOptions {
  recorded: RecordedTestbed;
  clock: Clock;
  /** Keep the recorded times. */
  pace: boolean;
  /** Answer commands in order, whatever they are. */
  loose: boolean;
  /** Reads bytes of a recorded stream; null where it was not kept. */
  read(stream: string, offset: number, bytes: number): Buffer | null;
  console(line: string): void;
  observe(type: string, data: Readonly<Record<string, unknown>>): void;
  /** The program does something else than was recorded. */
  left(asked: string, recorded: string | null, event: number | null): void;
}

type CueOf<K extends Cue['kind']> = Extract<Cue, { kind: K }>;

/**
 * Plays what a recorded testbed did, in the recorded order: what it did by itself when everything before has happened,
 * what it answered once that was asked.
 */
export class Player {
  readonly #options: PlayerOptions;
  readonly #cues: readonly Cue[];
  #at = 0;
  /** Cues that were asked for, and what is to be done when they are reached. */
  readonly #claimed = new Map<Cue, () => void>();
  readonly #passed = new Set<Cue>();
  /** Questions that the recording has come to, and whose answer it has yet to come to. */
  readonly #open = new Map<string, (told: Cue) => void>();
  readonly #channels = new Map<string, { channel: AnsweredChannel; nonce: string; of: RecordedCommand }>();
  readonly #pids = new Map<number, string>();
  readonly #connections = new Map<string, AnsweredConnection>();
  #timer: unknown = null;
  /** How many commands the program has run. */
  #commands = 0;
  #before: { recorded: number; now: number };
  #over = false;

  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#cues = options.recorded.cues;
    this.#before = { recorded: this.#cues[0]?.at ?? 0, now: options.clock.now() };
    for (const cue of this.#cues) if (cue.kind === 'started' && cue.pid !== null) this.#pids.set(cue.pid, cue.command);
  }

  /** A verb of the backend; resolves or rejects as it did then. */
  verb(verb: RecordedVerb): Promise<Failure | null> {
    const cue = this.#cues.find((each) => each.kind === 'verb' && each.verb === verb && this.#isAhead(each));
    // What was recorded of the way down is of no use to a program that goes another way.
    const removal = verb === 'stop' || verb === 'destroy';
    if (cue === undefined) {
      if (removal) return Promise.resolve(null);
      this.#leave(`the program wants to ${WORDS[verb]} the testbed`);
      return Promise.resolve({ code: 'not-recorded', message: `nobody recorded how to ${WORDS[verb]} the testbed` });
    }
    // Who has left the recording only wants to come to an end.
    if (this.#over) return Promise.resolve(null);
    if (removal) this.#skipTo(cue);
    return new Promise((resolve) => {
      this.#open.set(verb, (ended) => resolve((ended as CueOf<'verb-ended'>).failure));
      this.#claim(cue, () => {});
    });
  }

  /** A new byte stream. What becomes of it is in the recorded dial; dials beyond those go as the last did. */
  dial(): { cue: CueOf<'dial'> | null; ready: Promise<void> } {
    const dials = this.#cues.filter((each): each is CueOf<'dial'> => each.kind === 'dial');
    const next = dials.find((each) => this.#isAhead(each));
    if (next !== undefined) return { cue: next, ready: new Promise((resolve) => this.#claim(next, resolve)) };
    return { cue: dials.at(-1) ?? null, ready: Promise.resolve() };
  }

  /** The connection of a dial stands. */
  connected(cue: CueOf<'dial'>, connection: AnsweredConnection): void {
    this.#connections.set(cue.connection, connection);
  }

  plan(login: (name: string) => boolean | Promise<boolean>): ConnectionPlan {
    return {
      admit: (name) => login(name),
      grant: () => {
        const next = this.#cues.find((each) => each.kind === 'exec' && this.#isAhead(each)) as
          | CueOf<'exec'>
          | undefined;
        if (next?.refused == null) return true;
        this.#claim(next, () => {});
        return false;
      },
      exec: (request) => void this.#exec(request),
    };
  }

  /** Takes no more time. */
  close(): void {
    this.#over = true;
    this.#options.clock.clear(this.#timer);
    for (const go of [...this.#claimed.values()]) go();
    this.#claimed.clear();
    // Whoever still waits for the end of a verb is told that it came.
    for (const [question, answer] of [...this.#open]) {
      if (!question.includes(' '))
        answer({ ...NOTHING, kind: 'verb-ended', verb: question as RecordedVerb, failure: null });
    }
    this.#open.clear();
  }

  async #exec({ line, channel }: ExecRequest): Promise<void> {
    let asked = readAsked(line);
    if (asked.kind === 'script') asked = readScript((await channel.first(asked.bytes)).toString());
    channel.onSignal = (name) => this.#signalled(channel, name);
    switch (asked.kind) {
      case 'command':
        return this.#command(asked, channel);
      case 'signal':
        return this.#signal(asked, channel);
      case 'identify':
      case 'reboot':
        return this.#question(asked.kind, channel);
      default:
        sayWhy(channel, 'this is a recorded testbed: it can answer only what the driver of Trundle asks');
        return this.#leave(`the program sends a command line that no driver sent: ${line.slice(0, 200)}`);
    }
  }

  #command({ nonce, shown }: AskedLine & { kind: 'command' }, channel: AnsweredChannel): void {
    this.#commands++;
    const cue = this.#match(shown);
    if (cue === null) {
      sayWhy(channel, 'the recorded testbed has no answer to this');
      return this.#leaveBy(shown);
    }
    this.#claim(cue, () => this.#channels.set(cue.of.command, { channel, nonce, of: cue.of }));
  }

  /** The recorded command that is meant: the next one, or one that ran beside the next one. */
  #match(shown: readonly string[]): CueOf<'exec'> | null {
    const ahead = this.#cues.filter((each): each is CueOf<'exec'> => each.kind === 'exec' && this.#isAhead(each));
    const [next] = ahead;
    if (next === undefined) return null;
    if (this.#options.loose) return next;
    return (
      ahead.find(({ of, refused }) => refused === null && of.requested < next.of.concluded && isSame(of.line, shown)) ??
      null
    );
  }

  #signal({ pid, signal }: AskedLine & { kind: 'signal' }, channel: AnsweredChannel): void {
    const command = this.#pids.get(pid);
    const cue = this.#cues.find(
      (each): each is CueOf<'signal'> =>
        each.kind === 'signal' && each.command === command && each.signal === signal && this.#isAhead(each),
    );
    if (cue === undefined) {
      // Nobody is left of a command whose end is told; one that still runs would go on.
      if (!this.#cues.some((each) => each.kind === 'closed' && each.command === command && this.#isAhead(each)))
        return answerSurvivors(channel, 0);
      sayWhy(channel, 'the recorded testbed has no answer to this');
      return this.#leave(`the program sends signal ${signal} to command ${command ?? pid}`);
    }
    this.#open.set(`signal ${command} ${signal}`, (told) => {
      const { failure, survivors } = told as CueOf<'signal-told'>;
      if (failure === null) answerSurvivors(channel, survivors ?? 0);
      else sayWhy(channel, failure.message);
    });
    this.#claim(cue, () => {});
  }

  /** A signal through the SSH server itself: its answer is in the command's own end. */
  #signalled(channel: AnsweredChannel, name: string): void {
    const entry = [...this.#channels.values()].find((each) => each.channel === channel);
    const cue = this.#cues.find(
      (each) =>
        each.kind === 'signal' && each.command === entry?.of.command && each.signal === name && this.#isAhead(each),
    );
    if (cue !== undefined) this.#claim(cue, () => {});
  }

  #question(kind: 'identify' | 'reboot', channel: AnsweredChannel): void {
    const cue = this.#cues.find((each) => each.kind === kind && this.#isAhead(each));
    if (cue === undefined) {
      sayWhy(channel, 'the recorded testbed has no answer to this');
      return this.#leave(kind === 'reboot' ? 'the program reboots the testbed' : 'the program asks which boot this is');
    }
    const { connection } = cue as CueOf<'identify' | 'reboot'>;
    this.#open.set(`${kind} ${connection}`, (told) => {
      if (told.kind === 'identified') answerIdentity(channel, told);
      else answerSurvivors(channel, 'asked');
    });
    this.#claim(cue, () => {});
  }

  #claim(cue: Cue, go: () => void): void {
    if (this.#over) return go();
    this.#claimed.set(cue, go);
    this.#play();
  }

  /** Whether a cue is still to come and nobody has asked for it yet. */
  #isAhead(cue: Cue): boolean {
    return !this.#claimed.has(cue) && !this.#passed.has(cue);
  }

  /** Goes on as far as the recording goes without being asked. */
  #play(): void {
    const { clock, pace } = this.#options;
    clock.clear(this.#timer);
    for (let cue = this.#cues[this.#at]; cue !== undefined && !this.#over; cue = this.#cues[this.#at]) {
      if (this.#passed.has(cue)) {
        this.#at++;
        continue;
      }
      if (isAsked(cue) && !this.#claimed.has(cue)) return this.#await(cue);
      if (cue.kind === 'interrupted' && !this.#isEnding()) return this.#interrupted(cue);
      const due = this.#before.now + (cue.at - this.#before.recorded);
      if (pace && due > clock.now()) {
        this.#timer = clock.after(due - clock.now(), () => this.#play());
        return;
      }
      this.#at++;
      this.#passed.add(cue);
      this.#before = { recorded: cue.at, now: clock.now() };
      const go = this.#claimed.get(cue);
      this.#claimed.delete(cue);
      go?.();
      this.#say(cue);
    }
    if (this.#at >= this.#cues.length && !this.#options.recorded.complete && !this.#over) this.#ended();
  }

  /** Nothing goes on until this is asked: for how long? */
  #await(cue: Cue): void {
    const { clock } = this.#options;
    const others = this.#claimed.size > 0 || this.#open.size > 0;
    const thought = cue.at - this.#before.recorded;
    const soft = cue.kind === 'dial' || cue.kind === 'signal' || cue.kind === 'identify';
    const wait = soft && others ? GRACE : 2 * thought + PATIENCE;
    this.#timer = clock.after(wait, () => {
      if (soft) {
        this.#passed.add(cue);
        this.#play();
      } else this.#left('the program does not go on', cue);
    });
  }

  #ended(): void {
    const { lastSeq } = this.#options.recorded;
    this.#endSoon(`the recorded run was killed here, or its trace is cut off (event ${lastSeq})`, this.#cues.at(-1));
  }

  /** Somebody ended the recorded run: what the testbed did then is no answer to a program that goes on. */
  #interrupted(cue: CueOf<'interrupted'>): void {
    this.#endSoon(`the recorded run was interrupted here by ${cue.signal} (event ${cue.seq})`, cue);
  }

  /** Whether the program itself ends what it does, as the interrupted one did. */
  #isEnding(): boolean {
    return [...this.#claimed.keys()].some(
      (cue) => cue.kind === 'signal' || (cue.kind === 'verb' && (cue.verb === 'stop' || cue.verb === 'destroy')),
    );
  }

  #endSoon(why: string, last: Cue | undefined): void {
    const { clock } = this.#options;
    this.#timer = clock.after(GRACE, () => {
      this.#over = true;
      this.#options.left(why, null, last?.seq ?? null);
    });
  }

  /** The program wants something that is not recorded next. */
  #leave(asked: string): void {
    this.#left(asked, this.#cues.slice(this.#at).find((each) => isAsked(each) && this.#isAhead(each)) ?? null);
  }

  /** The program runs another command than the recorded one. */
  #leaveBy(shown: readonly string[]): void {
    const next = this.#cues.slice(this.#at).find((each) => isAsked(each) && this.#isAhead(each)) ?? null;
    const who = `the program's command ${this.#commands} is: `;
    if (next?.kind !== 'exec') return this.#left(`${who}${around(shown[0] ?? '', 0)}`, next);
    const { asked, recorded } = aroundDifference(shown, next.of.line);
    this.#left(`${who}${asked}`, next, `command ${next.of.command}: ${recorded}`);
  }

  #left(asked: string, instead: Cue | null, recorded = instead === null ? null : around(instead.text, 0)): void {
    if (this.#over) return;
    this.#over = true;
    const seq = instead?.kind === 'exec' ? instead.of.requested : (instead?.seq ?? null);
    this.#options.left(asked, recorded, seq);
  }

  /** The way down begins: what has not been asked by now will not be. */
  #skipTo(cue: Cue): void {
    for (const each of this.#cues.slice(this.#at, this.#cues.indexOf(cue))) {
      if (!isAsked(each) || this.#claimed.has(each)) continue;
      if (each.kind === 'exec' && !this.#passed.has(each))
        this.#options.console(`replay: the program did not come to event ${each.seq}: ${each.text}`);
      this.#passed.add(each);
    }
  }

  #say(cue: Cue): void {
    const entry = 'command' in cue ? this.#channels.get(cue.command) : undefined;
    switch (cue.kind) {
      case 'verb-ended':
        return this.#tell(cue.verb, cue);
      case 'signal-told':
        return this.#tell(`signal ${cue.command} ${cue.signal}`, cue);
      case 'identified':
        return this.#tell(`identify ${cue.connection}`, cue);
      case 'reboot-told':
        return this.#tell(`reboot ${cue.connection}`, cue);
      case 'started':
        if (cue.pid !== null) for (const each of markers(entry?.nonce ?? '', cue.pid)) entry?.channel.write(...each);
        return;
      case 'output':
        return this.#output(cue);
      case 'exited':
        // The half of a copy that goes down reads all of it first.
        if (entry?.of.copy?.direction === 'down' && cue.status === 0) entry.channel.wait(entry.channel.stdinEnded);
        return entry?.channel.exit(cue.status);
      case 'signalled':
        return entry?.channel.signal(cue.signal, cue.coreDumped);
      case 'closed':
        return entry?.channel.end();
      case 'lost':
        return void this.#lose(cue);
      case 'console':
        return this.#options.console(cue.line);
      case 'observed':
        return this.#options.observe(cue.type, cue.data);
    }
  }

  #tell(question: string, told: Cue): void {
    const answer = this.#open.get(question);
    this.#open.delete(question);
    answer?.(told);
  }

  #output({ command, stream, offset, bytes }: CueOf<'output'>): void {
    const entry = this.#channels.get(command);
    if (entry === undefined) return;
    const recorded = this.#options.read(`${command}.${stream}`, offset, bytes);
    const sent = recorded ?? outputOf(entry.of, stream, offset);
    if (recorded === null && offset === 0 && stream === 'stdout')
      this.#options.console(
        entry.of.copy === null
          ? `replay: what ${command} printed is not in the trace; nothing stands for it`
          : `replay: what copy ${entry.of.copy.copy} brought is not in the trace; an empty one stands for it`,
      );
    if (sent.length > 0) entry.channel.write(stream, sent);
  }

  async #lose({ connection: id, how, failure }: CueOf<'lost'>): Promise<void> {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    if (how === 'silent') return connection.silence();
    if (how === 'protocol') return connection.garble();
    await connection.lose(failure.code === null ? null : errorOf(failure));
  }
}

const NOTHING = { seq: 0, at: 0, text: '' };

const WORDS: Readonly<Record<RecordedVerb, string>> = {
  create: 'make',
  start: 'start',
  locate: 'find',
  restart: 'restart',
  reset: 'put back',
  stop: 'stop',
  destroy: 'remove',
};

function isAsked({ kind }: Cue): boolean {
  return ['verb', 'dial', 'exec', 'signal', 'identify', 'reboot'].includes(kind);
}

/** A failure as the system's own error. */
export function errorOf({ code, message }: Failure): Error {
  return Object.assign(new Error(message), code === null ? {} : { code });
}

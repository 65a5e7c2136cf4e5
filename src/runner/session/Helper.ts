import type { Writable } from 'node:stream';
import type { Cause, Clock } from '../../events/index.ts';
import type { CommandEnd } from '../../testbed/index.ts';
import { quote } from './testScript.ts';

/** A shell in the testbed that reads scripts from its stdin. */
export interface HelperOptions {
  readonly stdin: Writable;
  /** Its end. */
  readonly ended: Promise<CommandEnd>;
  readonly clock: Clock;
  /** Ends it, and whatever it runs. */
  readonly cancel: () => void;
}

/** How a script ended. */
export type HelperAnswer =
  /** Well, with what it printed. */
  | { readonly kind: 'done'; readonly stdout: string }
  /** It was not done in time. */
  | { readonly kind: 'late' }
  /** The testbed, or the way to it, is to blame. */
  | { readonly kind: 'lost'; readonly cause: Cause }
  /** It failed, or nobody can tell. */
  | { readonly kind: 'unsure' };

interface Asked {
  /** Takes its deadline back. */
  readonly done: () => void;
  readonly settle: (answer: HelperAnswer) => void;
}

/** Milliseconds that a script may go on once the run was told to stop: what hangs must not hold the teardown up. */
const GRACE = 5000;

/**
 * Short scripts that need no session of their own, one at a time, in a shell that is there anyway. What it cannot do is to be
 * done again in a session, which tells why: only for scripts that may be run twice.
 */
export class Helper {
  readonly #options: HelperOptions;
  readonly #asked = new Map<number, Asked>();
  /** What came before it was waited for, as of a recorded testbed. */
  readonly #early = new Map<number, HelperAnswer>();
  #count = 0;
  #heard = '';
  #end: HelperAnswer | null = null;

  constructor(options: HelperOptions) {
    this.#options = options;
    void options.ended.then(({ cause }) => {
      this.#end = cause === null ? UNSURE : { kind: 'lost', cause };
      for (const id of [...this.#asked.keys()]) this.#answer(id, this.#end);
    });
  }

  /**
   * Runs a script for sh with its $1, $2 and so on.
   * @param limit milliseconds, after which the shell is ended with what it runs
   */
  ask(script: string, words: readonly string[], limit: number, signal: AbortSignal): Promise<HelperAnswer> {
    const { stdin, clock, cancel } = this.#options;
    if (signal.aborted) return Promise.resolve(this.#end ?? UNSURE);
    this.#count += 1;
    const id = this.#count;
    const early = this.#early.get(id);
    if (this.#end !== null) return Promise.resolve(early ?? this.#end);
    const lines = `set -- ${words.map(quote).join(' ')}\n${script}`.split('\n').map((line) => ` ${line}\n`);
    stdin.write(`${lines.join('')}run ${id}\n`);
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve) => {
      const endAfter = (ms: number) =>
        clock.after(ms, () => {
          resolve({ kind: 'late' });
          cancel();
        });
      let timer = endAfter(limit);
      // What is still under way must not keep the shell from its end, nor be cut short where it is nearly done.
      const leave = () => {
        resolve(UNSURE);
        clock.clear(timer);
        timer = endAfter(Math.min(limit, GRACE));
      };
      signal.addEventListener('abort', leave, { once: true });
      const done = () => {
        clock.clear(timer);
        signal.removeEventListener('abort', leave);
      };
      this.#asked.set(id, { done, settle: resolve });
    });
  }

  /** Takes what the shell prints. */
  hear(chunk: Uint8Array): void {
    this.#heard += Buffer.from(chunk).toString('latin1');
    for (let end = ANSWER.exec(this.#heard); end !== null; end = ANSWER.exec(this.#heard)) {
      const stdout = Buffer.from(this.#heard.slice(0, end.index), 'latin1').toString();
      this.#heard = this.#heard.slice(end.index + end[0].length);
      this.#answer(Number(end[1]), end[2] === '0' ? { kind: 'done', stdout } : UNSURE);
    }
  }

  #answer(id: number, answer: HelperAnswer): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined) return void this.#early.set(id, answer);
    asked.done();
    asked.settle(answer);
  }
}

const UNSURE: HelperAnswer = { kind: 'unsure' };
const ANSWER = /^answer (\d+) (\d+)\n/m;

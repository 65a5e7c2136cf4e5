import type { Clock, Command, Emit } from '../events/index.ts';

/** The timers behind the machines' deadlines: a timer that runs out becomes the event `deadline.expired`. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #armed = new Map<string, unknown>();

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  arm(command: Extract<Command, { type: 'arm' }>): void {
    const { testbed, deadline, subject, ms } = command;
    const key = `${subject} ${deadline}`;
    this.#clear(key);
    const handle = this.#clock.after(ms, () => {
      this.#armed.delete(key);
      this.#emit({ type: 'deadline.expired', testbed, from: 'runner', deadline, subject, after: ms });
    });
    this.#armed.set(key, handle);
  }

  disarm(command: Extract<Command, { type: 'disarm' }>): void {
    this.#clear(`${command.subject} ${command.deadline}`);
  }

  /** Takes every deadline back. */
  clear(): void {
    for (const key of [...this.#armed.keys()]) this.#clear(key);
  }

  #clear(key: string): void {
    const handle = this.#armed.get(key);
    if (handle === undefined) return;
    this.#clock.clear(handle);
    this.#armed.delete(key);
  }
}

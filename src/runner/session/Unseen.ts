import type { Subscription } from 'rxjs';
import type { Run } from '../../testbed/index.ts';

/** Why what commands left behind could not be looked for, as the driver or a deadline told. */
export class Unseen {
  readonly #reasons = new Map<string, string>();
  readonly #subscription: Subscription;

  constructor({ events$ }: Run) {
    this.#subscription = events$.subscribe((event) => {
      if (event.type === 'command.started') this.#reasons.delete(event.command);
      else if (event.type === 'signal.failed') this.#reasons.set(event.command, event.failure.message);
      else if (event.type === 'deadline.expired' && event.deadline === 'kill')
        this.#reasons.set(event.subject.replace(/^command:/, ''), `no answer within ${event.after / 1000} s`);
    });
  }

  /** In words, after a colon and a blank; empty where nobody told. */
  why(command: string): string {
    const reason = this.#reasons.get(command)?.trim().split('\n').at(-1);
    return reason === undefined || reason === '' ? '' : `: ${reason}`;
  }

  /** Hears no more; what was told stays. */
  stop(): void {
    this.#subscription.unsubscribe();
  }
}

import { createStandIn, type Entry, type StandIn } from '../../../standin/index.ts';
import type { BackendHost } from '../../contract.ts';
import type { Enter } from '../enter.ts';

/** The stand-in of a testbed. It takes a while to start, and need not wait for the survey. */
export class Substitute {
  readonly standIn: StandIn;
  #entry: Entry | null = null;

  constructor(enter: Enter, host: BackendHost) {
    this.standIn = createStandIn({
      entry: {
        ...(enter.place === undefined ? {} : { place: enter.place }),
        find: (login) => this.#surveyed().find(login),
        enter: (account, argv, pty) => this.#surveyed().enter(account, argv, pty),
        stands: () => this.#surveyed().stands?.() ?? Promise.resolve(true),
      },
      log: (message, fields) => host.log(message, fields),
    });
  }

  /** Must come before its first client. */
  serve(entry: Entry): void {
    this.#entry = entry;
  }

  #surveyed(): Entry {
    if (this.#entry === null) throw new Error('the testbed has not been surveyed yet');
    return this.#entry;
  }
}

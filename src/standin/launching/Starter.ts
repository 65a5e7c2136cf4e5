import { type Clock, systemClock } from '../../events/index.ts';
import { loginEnvironment } from '../accounts.ts';
import type { Account, Entry } from '../contract.ts';
import type { Launched, Launching } from './contract.ts';
import { Launcher } from './Launcher.ts';
import { spawnDirectly } from './spawnDirectly.ts';
import { toldBy } from './telling.ts';

/** What a starter needs. */
export interface StarterOptions {
  readonly entry: Entry;
  readonly log: (message: string, fields?: Record<string, unknown>) => void;
  /** The system's, if absent. */
  readonly clock?: Clock;
}

/** Starts the commands of a stand-in by a launcher, or where there can be none as children of our own. */
export class Starter {
  readonly #entry: Entry;
  readonly #clock: Clock;
  readonly #log: (message: string, fields?: Record<string, unknown>) => void;
  #launching: Promise<Launching>;
  #closed = false;

  constructor({ entry, log, clock = systemClock }: StarterOptions) {
    this.#entry = entry;
    this.#clock = clock;
    this.#log = log;
    this.#launching = this.#start();
  }

  async launch(account: Account, argv: readonly string[]): Promise<Launched> {
    const launching = await this.#launching;
    const { home: cwd } = account;
    if (launching.inside) return await launching.launch({ argv, env: loginEnvironment(account), cwd, account });
    const { word, daemon = false, ...process } = this.#entry.enter(account, argv, null);
    const launched = await launching.launch({ ...process, account: null });
    return word === undefined ? launched : toldBy(word, launched, daemon, this.#clock);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#launching).close();
  }

  async #start(): Promise<Launching> {
    try {
      const launcher = await Launcher.start(this.#entry.place ?? null);
      // Somebody may end it. What it had started is lost; what comes then is not.
      void launcher.gone.then(() => {
        if (!this.#closed) this.#launching = this.#start();
      });
      return launcher;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#log('commands are started without a launcher', { message });
      return spawnDirectly;
    }
  }
}

import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { Clock } from '../events/index.ts';
import type { Keepalive } from './contract.ts';

/** What the watch tells. */
export interface KeepaliveListener {
  onMissed(missed: number, limit: number): void;
  onSilent(): void;
}

/** ssh2 sends such questions itself, but tells nobody how many were not answered. */
interface Asking {
  _protocol?: { ping(): void };
  _callbacks?: (() => void)[];
}

/** Asks a silent peer whether it lives (keepalive@openssh.com). Any byte from it is an answer. */
export class KeepaliveWatch {
  readonly #client: Client & Asking;
  readonly #stream: Duplex;
  readonly #clock: Clock;
  readonly #keepalive: Keepalive;
  readonly #listener: KeepaliveListener;
  #timer: unknown = null;
  #heard = true;
  #missed = 0;
  readonly #hear = () => {
    this.#heard = true;
    this.#missed = 0;
  };

  constructor(client: Client, stream: Duplex, clock: Clock, keepalive: Keepalive, listener: KeepaliveListener) {
    this.#client = client as Client & Asking;
    this.#stream = stream;
    this.#clock = clock;
    this.#keepalive = keepalive;
    this.#listener = listener;
    stream.on('data', this.#hear);
    this.#wait();
  }

  stop(): void {
    this.#stream.off('data', this.#hear);
    this.#clock.clear(this.#timer);
  }

  #wait(): void {
    this.#timer = this.#clock.after(this.#keepalive.interval, () => this.#ask());
  }

  #ask(): void {
    const { limit } = this.#keepalive;
    if (!this.#heard) {
      this.#missed += 1;
      this.#listener.onMissed(this.#missed, limit);
      if (this.#missed >= limit) return this.#listener.onSilent();
    }
    this.#heard = false;
    this.#client._callbacks?.push(() => {});
    this.#client._protocol?.ping();
    this.#wait();
  }
}

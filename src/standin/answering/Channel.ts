import type { ServerChannel } from 'ssh2';
import type { AnsweredChannel } from './contract.ts';

/** See {@link AnsweredChannel}. */
export class Channel implements AnsweredChannel {
  readonly stdinEnded: Promise<void>;
  onSignal: (name: string) => void = () => {};
  readonly #channel: ServerChannel;
  readonly #gone: Promise<void>;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(channel: ServerChannel) {
    this.#channel = channel;
    this.#gone = new Promise((resolve) => channel.once('close', () => resolve()));
    this.stdinEnded = Promise.race([this.#gone, new Promise<void>((resolve) => channel.once('end', () => resolve()))]);
    channel.on('error', () => {});
    // What nobody looks at must run off, or its sender waits for ever.
    channel.resume();
  }

  first(bytes: number): Promise<Buffer> {
    return new Promise((resolve) => {
      let held = Buffer.alloc(0);
      const take = (chunk: Buffer) => {
        held = Buffer.concat([held, chunk]);
        if (held.length >= bytes) done();
      };
      const done = () => {
        this.#channel.off('data', take);
        this.#channel.resume();
        resolve(held.subarray(0, bytes));
      };
      this.#channel.on('data', take);
      void this.stdinEnded.then(done);
    });
  }

  write(stream: 'stdout' | 'stderr', bytes: Uint8Array): void {
    this.#then(() => {
      const to = stream === 'stdout' ? this.#channel : this.#channel.stderr;
      return new Promise<void>((taken) => {
        to.write(Buffer.from(bytes), () => {
          this.#forget();
          taken();
        });
      });
    });
  }

  exit(status: number): void {
    this.#then(() => this.#channel.exit(status));
  }

  signal(name: string, coreDumped: boolean): void {
    this.#then(() => this.#channel.exit(name, coreDumped));
  }

  end(): void {
    this.#then(() => this.#channel.end());
  }

  wait(until: Promise<unknown>): void {
    this.#then(() => until);
  }

  async sent(): Promise<void> {
    await Promise.race([this.#queue, this.#gone]);
  }

  #then(step: () => unknown): void {
    this.#queue = this.#queue.then(() => Promise.race([step(), this.#gone])).catch(() => {});
  }

  /** ssh2 1.17 remembers of a piece that has gone out that it was waiting; see Session. */
  #forget(): void {
    const nothing = { _chunk: undefined, _chunkcb: undefined, _chunkErr: undefined, _chunkcbErr: undefined };
    Object.assign(this.#channel, nothing);
  }
}

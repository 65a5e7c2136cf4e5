import { Duplex } from 'node:stream';

/**
 * Two connected byte streams in memory. Bytes arrive in a later turn of the event loop, as they would over a socket:
 * ssh2 cannot be called back from within its own writes.
 */
export function memoryPipe(): [Duplex, Duplex] {
  const one = new PipeEnd();
  const other = new PipeEnd();
  one.peer = other;
  other.peer = one;
  return [one, other];
}

class PipeEnd extends Duplex {
  peer: PipeEnd | null = null;
  /** Continues the peer's write once this side wants more. */
  #release: (() => void) | null = null;

  constructor() {
    // As a socket: when the peer has ended, so does this side. ssh2 waits for the close that only then comes.
    super({ allowHalfOpen: false, readableHighWaterMark: 1024 * 1024, writableHighWaterMark: 1024 * 1024 });
  }

  override _read(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    setImmediate(() => {
      if (this.peer === null) done();
      else this.peer.receive(chunk, done);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    setImmediate(() => {
      this.peer?.push(null);
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { peer } = this;
    this.#release?.();
    this.#release = null;
    setImmediate(() => {
      if (peer !== null && !peer.destroyed) {
        if (!peer.readableEnded) peer.push(null);
        setImmediate(() => peer.destroy());
      }
    });
    done(error);
  }

  receive(chunk: Buffer, done: () => void): void {
    if (this.destroyed || this.readableEnded) return done();
    if (this.push(chunk)) done();
    else this.#release = done;
  }
}

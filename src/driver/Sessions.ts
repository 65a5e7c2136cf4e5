import type { Client, ClientChannel, ExecOptions } from 'ssh2';

type Opened = (
  ...end: [error: Error & { reason?: unknown }, channel: undefined] | [error: undefined, channel: ClientChannel]
) => void;

/** SSH_OPEN_CONNECT_FAILED and SSH_OPEN_RESOURCE_SHORTAGE (RFC 4254, section 5.1): how sshd says MaxSessions. */
const NO_ROOM: readonly unknown[] = [2, 4, 'CONNECT_FAILED', 'RESOURCE_SHORTAGE'];

/** Sessions that a server is taken to grant until it refuses one: less than sshd's default MaxSessions of 10. */
const SURE = 8;

/** ssh2 pings by itself, but tells nobody of the answers. */
interface Asking {
  _protocol?: { ping(): void };
  _callbacks?: (() => void)[];
}

/** Whether a refusal means that the server holds as many sessions as it will. Pure. */
export function isNoRoom(error: Error & { reason?: unknown }): boolean {
  return NO_ROOM.includes(error.reason);
}

/**
 * The sessions of one connection. sshd counts a session until some while after it has taken in that it is closed: a
 * new one that is asked for in the same breath is refused, although there is room. So where room is scarce, the
 * server has to answer something else first; only then is a closed session known to be gone.
 */
export class Sessions {
  readonly #client: Client & Asking;
  #open = 0;
  /** Closed, and perhaps not yet gone. */
  #closing = 0;
  #sure = SURE;
  readonly #waiting: (() => void)[] = [];

  constructor(client: Client) {
    this.#client = client as Client & Asking;
  }

  /** Opens a session that runs a line. */
  exec(line: string, options: ExecOptions, opened: Opened): void {
    if (this.#closing === 0 || this.#open + this.#closing < this.#sure) return this.#exec(line, options, opened);
    this.#waiting.push(() => this.exec(line, options, opened));
    if (this.#waiting.length === 1) this.#settle();
  }

  /** Waits until the server has answered: what was closed before is then gone. */
  #settle(): void {
    const gone = this.#closing;
    this.#client._callbacks?.push(() => {
      this.#closing -= gone;
      for (const open of this.#waiting.splice(0)) open();
    });
    this.#client._protocol?.ping();
  }

  #exec(line: string, options: ExecOptions, opened: Opened): void {
    this.#open += 1;
    const refused = (error: Error & { reason?: unknown }) => {
      this.#open -= 1;
      if (isNoRoom(error)) this.#sure = Math.max(1, Math.min(this.#sure, this.#open));
      opened(error, undefined);
    };
    try {
      this.#client.exec(line, options, (error, channel) => {
        if (error) return refused(error);
        channel.once('close', () => {
          this.#open -= 1;
          this.#closing += 1;
        });
        opened(undefined, channel);
      });
    } catch (error) {
      // ssh2 throws where the connection has closed meanwhile. Who waited for a session is nobody's caller any more.
      refused(error as Error);
    }
  }
}

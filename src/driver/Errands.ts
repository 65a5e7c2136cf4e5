import { Connection, type ConnectionOwner } from './Connection.ts';
import { probe } from './probe.ts';

/**
 * Short scripts of ours that find no session on a connection, as every one that the server grants is taken by
 * commands: each gets a connection of its own, which ends with it. A command must be able to be ended even there.
 */
export class Errands {
  readonly #owner: ConnectionOwner;
  readonly #under = new Set<Connection>();

  constructor(owner: ConnectionOwner) {
    this.#owner = owner;
  }

  /** Runs a script as the same user at the same place as an existing connection; gives what it printed. */
  run(beside: Connection, script: string): Promise<string> {
    const { login, endpoint } = beside;
    return new Promise((resolve, reject) => {
      const { host } = this.#owner;
      const connection: Connection = new Connection(
        { connection: `${beside.id}.errand`, attempt: 1, login, endpoint },
        {
          keepalive: this.#owner.keepalive,
          // Nobody decides about this connection, so nobody is told of it but the debug log.
          host: {
            testbed: host.testbed,
            clock: host.clock,
            log: (message, fields) => host.log(message, fields),
            emit: (draft) => {
              host.log(`an errand: ${draft.type}`, { connection: connection.id });
              if (draft.type !== 'auth.accepted') return;
              const done = () => connection.hangUp();
              probe(connection, script).then(resolve, reject).finally(done);
            },
          },
          onEnd: (_connection, _how, message) => {
            this.#under.delete(connection);
            reject(new Error(message));
          },
        },
      );
      this.#under.add(connection);
      void connection.dial();
    });
  }

  /** Ends all that are under way. */
  abandon(): void {
    for (const connection of [...this.#under]) connection.hangUp();
  }
}

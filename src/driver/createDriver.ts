import { randomBytes } from 'node:crypto';
import ssh2 from 'ssh2';
import type { EventData, EventDraft, EventType, Loss } from '../events/index.ts';
import { CommandChannel } from './CommandChannel.ts';
import { Connection, type DialRequest } from './Connection.ts';
import type {
  Driver,
  DriverHost,
  ExecSpec,
  ExecStreams,
  Forward,
  ForwardRequest,
  Keepalive,
  Messenger,
} from './contract.ts';
import { Errands } from './Errands.ts';
import { openForward } from './forward.ts';
import { BOOT_SCRIPT, bootIdentity, type ProcessGroup, probe, REBOOT_SCRIPT, signalScript } from './probe.ts';
import { isNoRoom } from './Sessions.ts';
import { failureOf } from './socket.ts';

/** A frozen peer is noticed after 20 seconds. */
const KEEPALIVE: Keepalive = { interval: 5000, limit: 3 };

/** How many ended commands' process groups are remembered. */
const REMEMBERED = 1000;

/** Makes the driver of one testbed. */
export function createDriver(host: DriverHost, options: { keepalive?: Keepalive } = {}): Driver {
  return new SshDriver(host, options.keepalive ?? KEEPALIVE);
}

class SshDriver implements Driver {
  readonly host: DriverHost;
  readonly keepalive: Keepalive;
  readonly #connections = new Map<string, Connection>();
  /** One that nobody has commanded yet. */
  #anticipated: Connection | null = null;
  readonly #channels = new Map<string, CommandChannel>();
  /** Process groups of commands that have ended lately: what they left behind can still be ended. */
  readonly #groups = new Map<string, ProcessGroup>();
  readonly #errands = new Errands(this);
  readonly #nonce = randomBytes(6).toString('hex');

  constructor(host: DriverHost, keepalive: Keepalive) {
    this.host = host;
    this.keepalive = keepalive;
  }

  prepare(): void {
    // The bundle loads ssh2 when something of it is first asked for.
    void ssh2.Client;
  }

  dial(request: DialRequest): void {
    const anticipated = this.#anticipated;
    this.#anticipated = null;
    if (anticipated?.suits(request) === true) {
      this.#connections.set(request.connection, anticipated);
      return anticipated.tellAs(request.connection);
    }
    anticipated?.hangUp();
    const connection = new Connection(request, this);
    this.#connections.set(request.connection, connection);
    void connection.dial();
  }

  anticipate(request: Pick<DialRequest, 'login' | 'endpoint'>): void {
    this.#anticipated?.hangUp();
    const connection = new Connection({ connection: '', attempt: 1, ...request }, this, false);
    this.#anticipated = connection;
    void connection.dial();
  }

  hangUp(id: string): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) this.#emit('connection.closed', { connection: id });
    else connection.hangUp();
  }

  openChannel(request: { command: string; connection: string; spec: ExecSpec; streams: ExecStreams }): void {
    const { command, spec, streams } = request;
    const connection = this.#connections.get(request.connection);
    if (connection === undefined) {
      return this.#emit('command.lost', { command, how: 'closed', message: 'the connection is gone' });
    }
    const channel = new CommandChannel({ command, spec, streams, nonce: this.#nonce }, connection, this.host, (ended) =>
      this.#forget(ended),
    );
    this.#channels.set(command, channel);
    channel.open();
  }

  signal(request: { command: string; connection: string; signal: 'TERM' | 'KILL'; by?: Messenger | undefined }): void {
    const { command, signal } = request;
    const connection = this.#connections.get(request.connection);
    const channel = this.#channels.get(command);
    const group = channel?.group ?? this.#groups.get(command) ?? null;
    const failed = (error: unknown) => this.#emit('signal.failed', { command, signal, failure: failureOf(error) });
    const directly = (error: unknown) => {
      if (channel?.signal(signal)) this.#emit('signal.delivered', { command, signal, survivors: null });
      else failed(error);
    };
    if (connection?.ready !== true) return failed(new Error('the connection is gone'));
    if (group === null) return directly(new Error('the process group is not known'));
    const script = signalScript(group, signal);
    const delivered = (answer: string, how: { beside?: true }) =>
      this.#emit('signal.delivered', { command, signal, survivors: Number.parseInt(answer, 10) || 0, ...how });
    const bySession = () => {
      if (!connection.ready) return failed(new Error('the connection is gone'));
      this.#probe(connection, script).then((answer) => delivered(answer, {}), directly);
    };
    const by = channel === undefined || channel.exited ? request.by : undefined;
    if (by === undefined) return bySession();
    numberFrom(by, script).then(
      (answer) => (answer === null ? bySession() : delivered(answer, { beside: true })),
      failed,
    );
  }

  closeChannel(command: string): void {
    this.#channels.get(command)?.close();
  }

  resize(command: string, size: { columns: number; rows: number }): void {
    this.#channels.get(command)?.resize(size);
  }

  identifyBoot(id: string): void {
    this.#ask(id, BOOT_SCRIPT).then(
      (answer) => this.#emit('boot.identified', { connection: id, identity: bootIdentity(answer) }),
      (error: unknown) => this.#emit('boot.unidentified', { connection: id, failure: failureOf(error) }),
    );
  }

  askReboot(id: string, line = REBOOT_SCRIPT): void {
    const asked = () => this.#emit('reboot.asked', { connection: id });
    // Whether the reboot command could answer before its connection went away says nothing.
    this.#ask(id, line).then(asked, asked);
  }

  forward(request: ForwardRequest): Promise<Forward> {
    const connection = this.#connections.get(request.connection);
    if (connection?.ready !== true) return Promise.reject(new Error(`connection ${request.connection} is gone`));
    return openForward(request, connection, this.host);
  }

  abandon(): void {
    this.#errands.abandon();
    this.#anticipated?.hangUp();
    for (const connection of [...this.#connections.values()]) connection.hangUp();
  }

  onEnd(connection: Connection, how: Loss, message: string): void {
    if (this.#anticipated === connection) this.#anticipated = null;
    if (this.#connections.get(connection.id) === connection) this.#connections.delete(connection.id);
    for (const channel of [...this.#channels.values()])
      if (channel.connection === connection) channel.lose(how, message);
  }

  #forget({ command, group }: CommandChannel): void {
    this.#channels.delete(command);
    if (group === null) return;
    this.#groups.set(command, group);
    if (this.#groups.size <= REMEMBERED) return;
    const [oldest] = this.#groups.keys();
    if (oldest !== undefined) this.#groups.delete(oldest);
  }

  /** In a session of its own, over another connection where this one has no room for that. */
  async #probe(connection: Connection, script: string): Promise<string> {
    try {
      return await probe(connection, script);
    } catch (error) {
      if (!isNoRoom(error as Error)) throw error;
      return await this.#errands.run(connection, script);
    }
  }

  #ask(id: string, script: string): Promise<string> {
    const connection = this.#connections.get(id);
    if (connection?.ready !== true) return Promise.reject(new Error('the connection is gone'));
    return probe(connection, script);
  }

  #emit<T extends EventType>(type: T, data: EventData<T> & object): void {
    this.host.emit({ type, testbed: this.host.testbed, from: 'driver', ...data } as unknown as EventDraft);
  }
}

/** What a messenger gave, where that is a number; anything else tells nothing. */
async function numberFrom(by: Messenger, script: string): Promise<string | null> {
  const answer = await by(script);
  return answer !== null && /^\d+\s*$/.test(answer) ? answer : null;
}

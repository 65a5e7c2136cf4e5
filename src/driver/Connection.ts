import ssh2, { type Client } from 'ssh2';
import type { EventData, EventDraft, EventType, Failure, Loss, ReachableEndpoint } from '../events/index.ts';
import { authenticate } from './authentication.ts';
import type { DriverHost, Keepalive } from './contract.ts';
import { readGreeting } from './greeting.ts';
import { KeepaliveWatch } from './KeepaliveWatch.ts';
import { algorithmOf, fingerprintOf } from './keys.ts';
import { Sessions } from './Sessions.ts';
import { signAtOnce } from './signAtOnce.ts';
import { failureOf, lossOf, openSocket, type Socket } from './socket.ts';

/** What to dial. */
export interface DialRequest {
  connection: string;
  attempt: number;
  login: string;
  endpoint: ReachableEndpoint;
}

type Stage = 'connect' | 'banner' | 'exchange' | 'auth' | 'ready' | 'ended';

/** What a connection tells its owner besides the events. */
export interface ConnectionOwner {
  readonly host: DriverHost;
  readonly keepalive: Keepalive;
  /** It ended, for whatever reason: everything on it has ended too. */
  onEnd(connection: Connection, how: Loss, message: string): void;
}

/** One SSH connection from its dial to its end. Whatever happens, it tells exactly one end. */
export class Connection {
  readonly client: Client = new ssh2.Client();
  /** The sessions on it: every command and every question of ours. */
  readonly sessions = new Sessions(this.client);
  /** The login shell's path, once the endpoint or a command has told it. */
  shell: string | null;
  readonly #request: DialRequest;
  readonly #owner: ConnectionOwner;
  #id: string;
  /** What has been seen and not been told; null once all is told at once. */
  #untold: (() => void)[] | null;
  #stage: Stage = 'connect';
  #socket: Socket | null = null;
  #hangingUp = false;
  #greeting = Buffer.alloc(0);
  #loss: { how: Loss; failure: Failure } | null = null;
  #verdict: (() => void) | null = null;
  #watch: KeepaliveWatch | null = null;

  /** @param told whether events are told at once; else from {@link tellAs} on */
  constructor(request: DialRequest, owner: ConnectionOwner, told = true) {
    this.#id = request.connection;
    this.#untold = told ? null : [];
    this.#request = request;
    this.#owner = owner;
    this.shell = request.endpoint.loginShell?.(request.login) ?? null;
  }

  get id(): string {
    return this.#id;
  }

  get login(): string {
    return this.#request.login;
  }

  get endpoint(): ReachableEndpoint {
    return this.#request.endpoint;
  }

  get ready(): boolean {
    return this.#stage === 'ready' && !this.#hangingUp;
  }

  async dial(): Promise<void> {
    const { endpoint, attempt } = this.#request;
    this.#emit('dial.started', { attempt, address: addressOf(endpoint) });
    try {
      const socket = await openSocket(endpoint);
      this.#socket = socket;
      if (this.#hangingUp) {
        socket.connected.catch(() => {});
        socket.stream.on('error', () => {});
        socket.stream.destroy();
        return this.#end();
      }
      // The end of the byte stream is the one sure end; ssh2's own events only explain it.
      socket.stream.once('close', () => this.#end());
      socket.stream.on('error', (error) => this.#note(lossOf(error), failureOf(error)));
      await socket.connected;
      if (this.#stage !== 'connect' || this.#hangingUp) return;
      this.#stage = 'banner';
      this.#emit('socket.connected', {});
      this.#handshake(socket);
    } catch (error) {
      this.#note(lossOf(error), failureOf(error));
      // What was closed before anybody could listen will not say so again.
      if (this.#socket === null || this.#socket.stream.closed) this.#end();
      else this.#socket.stream.destroy();
    }
  }

  /** Whether it is what would be dialled, and has not come to an end. */
  suits({ attempt, login, endpoint }: DialRequest): boolean {
    const same = attempt === this.#request.attempt && login === this.login && endpoint === this.endpoint;
    return same && this.#stage !== 'ended' && !this.#hangingUp;
  }

  /** Gives it its name, and tells all that has been seen so far. */
  tellAs(id: string): void {
    this.#id = id;
    const untold = this.#untold ?? [];
    this.#untold = null;
    for (const tell of untold) tell();
  }

  /** Ends it in whatever stage it is. */
  hangUp(): void {
    if (this.#hangingUp) return;
    this.#hangingUp = true;
    const stream = this.#socket?.stream;
    if (this.#stage === 'ended' || stream === undefined) return;
    if (this.#stage === 'ready') this.client.end();
    // A peer that no longer reads must not keep us: what is not sent at once is given up.
    setImmediate(() => stream.destroy());
  }

  #handshake({ stream }: Socket): void {
    const { login, endpoint } = this.#request;
    const sniff = (chunk: Buffer) => this.#sniff(chunk, () => stream.off('data', sniff));
    stream.on('data', sniff);
    const authentication = authenticate(login, endpoint.credentials);
    this.client.on('handshake', (agreed) => {
      if (this.#stage === 'exchange') this.#stage = 'auth';
      this.#emit('handshake.completed', {
        kex: agreed.kex,
        hostKeyAlgorithm: agreed.serverHostKey,
        cipher: agreed.cs.cipher,
      });
    });
    this.client.on('ready', () => {
      this.#stage = 'ready';
      this.#watch = new KeepaliveWatch(this.client, stream, this.#owner.host.clock, this.#owner.keepalive, {
        onMissed: (missed, limit) => this.#emit('keepalive.missed', { missed, limit }),
        onSilent: () => {
          this.#note('silent', { code: null, message: 'the peer does not answer' });
          stream.destroy();
        },
      });
      this.#emit('auth.accepted', { login, method: authentication.tried.at(-1) ?? 'none' });
    });
    this.client.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'client-authentication' && this.#verdict === null) {
        const tried = [...new Set(authentication.tried)];
        const message = [error.message, ...authentication.unusable].join('; ');
        this.#verdict = () => this.#emit('auth.refused', { login, tried, message });
      } else if (error.level === 'agent') this.#owner.host.log('the agent failed', { message: error.message });
      else this.#note(lossOfSsh(error), failureOf(error));
      if (error.level !== 'agent') stream.destroy();
    });
    this.client.on('close', () => stream.destroy());
    this.client.connect({
      sock: stream as never,
      username: login,
      authHandler: authentication.handler,
      hostVerifier: (key: Buffer) => this.#verify(key),
      readyTimeout: 0,
      keepaliveInterval: 0,
    });
    signAtOnce(this.client);
  }

  #verify(key: Buffer): boolean {
    const expected = this.#request.endpoint.hostKeys;
    const fingerprint = fingerprintOf(key);
    this.#emit('hostkey.seen', { algorithm: algorithmOf(key), fingerprint });
    if (expected.includes(fingerprint)) {
      this.#emit('hostkey.verified', { fingerprint });
      return true;
    }
    this.#verdict = () => this.#emit('hostkey.mismatched', { seen: fingerprint, expected: [...expected] });
    return false;
  }

  #sniff(chunk: Buffer, done: () => void): void {
    this.#greeting = Buffer.concat([this.#greeting, chunk]);
    const greeting = readGreeting(this.#greeting);
    if (greeting.kind === 'incomplete') return;
    done();
    if (greeting.kind === 'ssh') {
      if (this.#stage === 'banner') this.#stage = 'exchange';
      this.#emit('banner.received', { software: greeting.software });
    } else {
      this.#verdict = () => this.#emit('banner.rejected', { sample: greeting.sample });
      this.#socket?.stream.destroy();
    }
  }

  /** Keeps the first explanation of the coming end. */
  #note(how: Loss, failure: Failure): void {
    this.#loss ??= { how, failure };
  }

  #end(): void {
    if (this.#stage === 'ended') return;
    const stage = this.#stage;
    this.#stage = 'ended';
    this.#watch?.stop();
    const words = this.#socket?.lastWords() ?? '';
    const loss = this.#loss ?? {
      how: 'closed' as const,
      failure: { code: null, message: 'the peer closed the connection' },
    };
    const failure =
      words === '' ? loss.failure : { ...loss.failure, message: `${loss.failure.message}; it said: ${words}` };
    if (this.#hangingUp) this.#emit('connection.closed', {});
    else if (this.#verdict !== null) this.#verdict();
    else if (stage === 'ready') this.#emit('connection.lost', { how: loss.how, failure });
    else this.#emit('dial.failed', { how: loss.how, stage: stage as 'connect', failure });
    this.#owner.onEnd(this, loss.how, failure.message);
  }

  #emit<T extends EventType>(type: T, data: Omit<EventData<T>, 'connection'>): void {
    const { host } = this.#owner;
    const { testbed } = host;
    const tell = () =>
      host.emit({ type, testbed, from: 'driver', connection: this.#id, ...data } as unknown as EventDraft);
    if (this.#untold === null) tell();
    else this.#untold.push(tell);
  }
}

function lossOfSsh(error: Error & { level?: string; code?: string }): Loss {
  if (error.level === 'client-socket' || error.code !== undefined) return lossOf(error);
  return /Connection lost|closed/i.test(error.message) ? 'closed' : 'protocol';
}

function addressOf({ via }: ReachableEndpoint): string {
  switch (via.kind) {
    case 'tcp':
      return `${via.host}:${via.port}`;
    case 'unix':
      return via.path;
    case 'process':
      return via.argv.join(' ');
    case 'memory':
      return `memory:${via.name}`;
  }
}

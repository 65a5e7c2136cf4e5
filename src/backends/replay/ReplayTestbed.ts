import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { Subject } from 'rxjs';
import { type AnsweringServer, createAnsweringServer } from '../../standin/index.ts';
import {
  defaultTraceDirectory,
  type RecordedTestbed,
  type RecordedVerb,
  readRecording,
  readTrace,
} from '../../trace/index.ts';
import { BackendError, type BackendHost, type BackendVerbs, type Location, type Observation } from '../contract.ts';
import { errorOf, Player } from './Player.ts';

/** One recorded testbed, played. */
export class ReplayTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  /** Present where the recorded backend restarted its testbed by itself: else it was the guest that rebooted. */
  restart?: () => Promise<void>;
  readonly #options: { trace: string; pace: boolean; loose: boolean };
  readonly #host: BackendHost;
  #recorded: RecordedTestbed | null = null;
  #player: Player | null = null;
  #server: AnsweringServer | null = null;
  #directory = '';
  /** Reject what waits for a connection that never comes. */
  readonly #stuck: (() => void)[] = [];

  constructor(options: { trace: string; pace: boolean; loose: boolean }, host: BackendHost) {
    this.#options = options;
    this.#host = host;
  }

  async create(): Promise<void> {
    const { testbed, clock, log } = this.#host;
    const trace = await readTrace(placeOf(this.#options.trace)).catch((error: Error) => {
      throw new BackendError('usage', error.message, { cause: error });
    });
    const { recorded, others } = await readRecording(trace, testbed);
    if (recorded === null) {
      const have = others.length === 0 ? 'no testbed at all' : `only ${others.join(', ')}`;
      throw new BackendError('usage', `${trace.file} holds no testbed ${testbed}, but ${have}`);
    }
    this.#recorded = recorded;
    if (recorded.cues.some((cue) => cue.kind === 'verb' && cue.verb === 'restart'))
      this.restart = () => this.#verb('restart');
    this.#directory = trace.directory;
    this.#server = createAnsweringServer((message) => log(message));
    const { pace, loose } = this.#options;
    this.#player = new Player({
      ...{ recorded, clock, pace, loose },
      read: (stream, offset, bytes) => readBytes(trace.streamFile(stream), offset, bytes),
      console: (line) => this.#host.console(Buffer.from(`${line}\n`)),
      observe: (type, data) => this.observations$.next({ type, ...data } as Observation),
      left: (asked, instead, event) =>
        this.observations$.next({ type: 'recording.left', asked, recorded: instead, event }),
    });
    await this.#verb('create');
  }

  start(): Promise<void> {
    return this.#verb('start');
  }

  async endpoint(): Promise<Location> {
    await this.#verb('locate');
    const server = this.#server as AnsweringServer;
    const { endpoint, capabilities } = this.#recorded as RecordedTestbed;
    if (endpoint === null)
      throw new BackendError('not-recorded', 'the recorded testbed never told where it can be reached');
    const { login, normalUser } = endpoint;
    return {
      endpoint: {
        via: { kind: 'memory', name: `the recording in ${this.#directory}` },
        server: 'stand-in',
        login,
        ...(normalUser === undefined ? {} : { normalUser }),
        hostKeys: this.#hostKeys(server.hostKey, endpoint.hostKeys),
        credentials: { privateKeys: [server.clientKey] },
        connect: () => this.#connect(),
      },
      capabilities,
    };
  }

  stop(): Promise<void> {
    return this.#verb('stop');
  }

  reset(): Promise<void> {
    return this.#verb('reset');
  }

  async destroy(): Promise<void> {
    try {
      await this.#verb('destroy');
    } finally {
      this.#player?.close();
      this.#server?.close();
      for (const reject of this.#stuck.splice(0)) reject();
    }
  }

  /** What was expected then, where another key answered; the key that answers now is another one in any case. */
  #hostKeys(own: string, recorded: readonly string[]): string[] {
    const mismatched =
      this.#recorded?.cues.some((cue) => cue.kind === 'dial' && cue.plan.kind === 'other-key') ?? false;
    const accepted = this.#recorded?.cues.some((cue) => cue.kind === 'dial' && cue.plan.kind === 'accepted') ?? false;
    return mismatched && !accepted ? [...recorded] : [own];
  }

  async #verb(verb: RecordedVerb): Promise<void> {
    const failure = (await this.#player?.verb(verb)) ?? null;
    if (failure === null) return;
    throw Object.assign(errorOf(failure), failure.remedy === undefined ? {} : { remedy: failure.remedy });
  }

  async #connect(): Promise<Duplex> {
    const player = this.#player as Player;
    const server = this.#server as AnsweringServer;
    const { cue, ready } = player.dial();
    await ready;
    const plan = cue?.plan ?? { kind: 'accepted' as const };
    const at = (stage: string) => (plan.kind === 'failed' || plan.kind === 'stuck') && plan.stage === stage;
    if (at('connect')) {
      if (plan.kind === 'failed') throw errorOf(plan.failure);
      return await new Promise<never>((_, reject) => this.#stuck.push(() => reject(new Error('nobody answered'))));
    }
    if (at('banner') || at('exchange') || plan.kind === 'not-ssh') {
      const says = plan.kind === 'not-ssh' ? lineOf(plan.sample) : at('exchange') ? 'SSH-2.0-recorded\r\n' : '';
      const mute = server.mute(says);
      if (plan.kind === 'failed') void mute.lose(plan.failure.code === null ? null : errorOf(plan.failure));
      return mute.stream;
    }
    const connection = server.connect({
      otherKey: plan.kind === 'other-key',
      ...player.plan((login) => {
        if (plan.kind === 'refused') return false;
        if (at('auth')) {
          if (plan.kind === 'failed') void connection.lose(plan.failure.code === null ? null : errorOf(plan.failure));
          return new Promise<never>(() => {});
        }
        return (this.#recorded as RecordedTestbed).logins.includes(login);
      }),
    });
    if (cue !== null) player.connected(cue, connection);
    return connection.stream;
  }
}

/** A trace by its directory, an output directory around it, its file of events, or the id of its run. */
function placeOf(trace: string): string {
  const inside = join(trace, 'trace');
  if (statSync(trace, { throwIfNoEntry: false }) === undefined && /^\w+$/.test(trace))
    return defaultTraceDirectory(trace);
  return existsSync(join(trace, 'events.jsonl')) || !existsSync(inside) ? trace : inside;
}

/** What a peer said, of which only what can be printed was kept: a dot may have been a line end. Pure. */
function lineOf(sample: string): string {
  const [dots = ''] = /\.*$/.exec(sample) ?? [];
  return `${sample.slice(0, sample.length - dots.length)}${'\r\n'.repeat(Math.max(1, Math.floor(dots.length / 2)))}`;
}

/** Null where the stream was not kept. */
function readBytes(file: string, offset: number, bytes: number): Buffer | null {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch {
    return null;
  }
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(fd, buffer, 0, bytes, offset));
  } finally {
    closeSync(fd);
  }
}

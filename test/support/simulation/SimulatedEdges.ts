import type { Command, EventData, EventDraft, EventType } from '../../../src/events/index.ts';
import { draft } from '../facts.ts';

type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>;
type Verb = 'create' | 'start' | 'locate' | 'restart' | 'reset' | 'stop' | 'destroy' | 'keep';

/** Something that the world outside the machines may do next. */
export type Move = () => void;

interface BackendModel {
  calls: Verb[];
  readonly resources: Set<string>;
  running: boolean;
  boot: number;
  made: number;
}

interface ConnectionModel {
  readonly testbed: string;
  stage: 'connect' | 'banner' | 'exchange' | 'auth' | 'ready';
  verified: boolean;
}

interface ChannelModel {
  readonly testbed: string;
  readonly connection: string;
  stage: 'opening' | 'starting' | 'running' | 'ended';
}

const DONE = {
  create: ['provision.completed', 'provision.failed'],
  start: ['boot.completed', 'boot.failed'],
  locate: ['endpoint.announced', 'endpoint.failed'],
  restart: ['restart.completed', 'restart.failed'],
  reset: ['reset.completed', 'reset.failed'],
  stop: ['shutdown.completed', 'shutdown.failed'],
  destroy: ['destruction.completed', 'destruction.failed'],
  keep: ['keeping.completed', 'keeping.failed'],
} as const satisfies Record<Verb, readonly [EventType, EventType]>;

/**
 * A world that answers the machines' commands as the contracts of backend and driver allow: in any order, sometimes
 * well, sometimes badly, sometimes not at all.
 */
export class SimulatedEdges {
  readonly #append: (draft: EventDraft) => void;
  readonly #backends = new Map<string, BackendModel>();
  readonly #connections = new Map<string, ConnectionModel>();
  readonly #channels = new Map<string, ChannelModel>();
  /** Answers that will come, whatever else happens. */
  readonly #owed: Move[] = [];

  constructor(append: (draft: EventDraft) => void) {
    this.#append = append;
  }

  /** Connections and commands that the edges know, for those who like to interfere. */
  ids(): { connections: string[]; commands: string[] } {
    return { connections: [...this.#connections.keys()], commands: [...this.#channels.keys()] };
  }

  /** Takes a command; what comes of it is among the next moves. */
  perform(command: Command): void {
    switch (command.type) {
      case 'create':
      case 'start':
      case 'locate':
      case 'restart':
      case 'reset':
      case 'stop':
      case 'destroy':
      case 'keep':
        this.#backend(command.testbed).calls.push(command.type);
        return;
      case 'dial':
        this.#connections.set(command.connection, { testbed: command.testbed, stage: 'connect', verified: false });
        return;
      case 'hang-up':
        this.#hangUp(command);
        return;
      case 'open-channel':
        this.#openChannel(command);
        return;
      case 'close-channel':
        if (this.#channels.has(command.command)) this.#owe(() => this.#endChannel(command.command, 'command.closed'));
        return;
      case 'signal':
        this.#signal(command);
        return;
      case 'identify-boot': {
        const { testbed, connection } = command;
        const { boot } = this.#backend(testbed);
        const known = this.#connections.has(connection);
        this.#owe(() => {
          if (known) this.#say(testbed, 'boot.identified', { connection, identity: `boot-${boot}` });
          else this.#say(testbed, 'boot.unidentified', { connection });
        });
        return;
      }
      case 'ask-reboot': {
        const { testbed, connection } = command;
        this.#owe(() => this.#say(testbed, 'reboot.asked', { connection }));
        this.#owe(() => this.#reboot(testbed));
        return;
      }
    }
  }

  /** What may happen next, by who does it. Groups without a move are left out. */
  moves(): Move[][] {
    return [
      [...this.#backends].flatMap(([testbed, backend]) => this.#movesOfBackend(testbed, backend)),
      [...this.#connections].flatMap(([id, connection]) => this.#movesOfConnection(id, connection)),
      [...this.#channels].flatMap(([id, channel]) => this.#movesOfChannel(id, channel)),
      this.#owed.map((move, index) => () => {
        this.#owed.splice(index, 1);
        move();
      }),
    ].filter((group) => group.length > 0);
  }

  #backend(testbed: string): BackendModel {
    const known = this.#backends.get(testbed);
    if (known !== undefined) return known;
    const made: BackendModel = { calls: [], resources: new Set(), running: false, boot: 1, made: 0 };
    this.#backends.set(testbed, made);
    return made;
  }

  #movesOfBackend(testbed: string, backend: BackendModel): Move[] {
    const moves: Move[] = backend.calls.flatMap((verb, index) => [
      () => this.#endVerb(testbed, backend, index, verb, true),
      () => this.#endVerb(testbed, backend, index, verb, true),
      () => this.#endVerb(testbed, backend, index, verb, true),
      () => this.#endVerb(testbed, backend, index, verb, false),
    ]);
    if (backend.calls.includes('create') || backend.calls.includes('start')) {
      moves.push(() => {
        backend.made += 1;
        const resource = `${testbed}.r${backend.made}`;
        backend.resources.add(resource);
        this.#say(testbed, 'resource.acquired', { resource });
      });
    }
    if (!backend.running) return moves;
    const helper = { role: 'helper' as const };
    moves.push(() => this.#say(testbed, 'process.exited', helper));
    const deaths: EventType[] = [
      'process.exited',
      'guest.panicked',
      'guest.stopped',
      'recording.left',
      'endpoint.withdrawn',
    ];
    // Death is rarer than life, or nothing would ever be reached.
    if (backend.made % 3 === 2) moves.push(...deaths.map((type) => () => this.#say(testbed, type, {})));
    return moves;
  }

  #endVerb(testbed: string, backend: BackendModel, index: number, verb: Verb, well: boolean): void {
    backend.calls.splice(index, 1);
    if (verb === 'start') backend.running = well;
    if (verb === 'stop') backend.running = false;
    if (well && (verb === 'restart' || verb === 'reset')) this.#reboot(testbed);
    if (verb === 'destroy' && well) {
      for (const resource of backend.resources) this.#say(testbed, 'resource.released', { resource });
      backend.resources.clear();
    }
    this.#say(testbed, DONE[verb][well ? 0 : 1], {});
  }

  #reboot(testbed: string): void {
    this.#backend(testbed).boot += 1;
    for (const [id, connection] of this.#connections) {
      if (connection.testbed === testbed) this.#owe(() => this.#lose(id));
    }
  }

  #movesOfConnection(connection: string, model: ConnectionModel): Move[] {
    const { testbed } = model;
    const step = (type: EventType, stage: ConnectionModel['stage']) => () => {
      model.stage = stage;
      this.#say(testbed, type, { connection });
    };
    const end =
      (type: EventType, data: object = {}) =>
      () => {
        this.#connections.delete(connection);
        this.#say(testbed, type, { connection, ...data });
      };
    const broken = end('dial.failed', { stage: model.stage, how: 'closed' });
    switch (model.stage) {
      case 'connect':
        return [step('socket.connected', 'banner'), step('socket.connected', 'banner'), broken];
      case 'banner':
        return [
          step('banner.received', 'exchange'),
          step('banner.received', 'exchange'),
          end('banner.rejected'),
          broken,
        ];
      case 'exchange':
        if (model.verified) return [step('handshake.completed', 'auth'), step('handshake.completed', 'auth'), broken];
        return [
          () => {
            model.verified = true;
            this.#say(testbed, 'hostkey.verified', { connection });
          },
          step('handshake.completed', 'auth'),
          end('hostkey.mismatched'),
        ];
      case 'auth':
        return [step('auth.accepted', 'ready'), step('auth.accepted', 'ready'), end('auth.refused'), broken];
      case 'ready':
        return [() => this.#say(testbed, 'keepalive.missed', { connection }), () => this.#lose(connection)];
    }
  }

  #lose(connection: string): void {
    const model = this.#connections.get(connection);
    if (model === undefined) return;
    this.#connections.delete(connection);
    this.#loseChannels(connection);
    if (model.stage === 'ready') this.#say(model.testbed, 'connection.lost', { connection });
    else this.#say(model.testbed, 'dial.failed', { connection, stage: model.stage, how: 'reset' });
  }

  #loseChannels(connection: string): void {
    for (const [id, channel] of this.#channels) {
      if (channel.connection === connection) this.#endChannel(id, 'command.lost');
    }
  }

  #hangUp({ testbed, connection }: CommandOf<'hang-up'>): void {
    this.#owe(() => {
      this.#connections.delete(connection);
      this.#loseChannels(connection);
      this.#say(testbed, 'connection.closed', { connection });
    });
  }

  #openChannel({ testbed, command, connection }: CommandOf<'open-channel'>): void {
    if (this.#connections.get(connection)?.stage === 'ready') {
      this.#channels.set(command, { testbed, connection, stage: 'opening' });
    } else {
      this.#owe(() => this.#say(testbed, 'command.lost', { command }));
    }
  }

  #movesOfChannel(command: string, model: ChannelModel): Move[] {
    const { testbed, connection } = model;
    const step = (type: EventType, stage: ChannelModel['stage']) => () => {
      model.stage = stage;
      this.#say(testbed, type, { command, connection });
    };
    const refused = (limit: boolean) => () => {
      this.#channels.delete(command);
      this.#say(testbed, 'channel.refused', { command, connection, limit });
    };
    switch (model.stage) {
      case 'opening':
        return [step('channel.opened', 'starting'), step('channel.opened', 'starting'), refused(true), refused(false)];
      case 'starting':
        return [step('command.started', 'running'), step('command.started', 'running'), refused(false)];
      case 'running':
        return [
          step('command.output', 'running'),
          step('command.exited', 'ended'),
          step('command.signalled', 'ended'),
          () => this.#endChannel(command, 'command.closed'),
        ];
      case 'ended':
        return [step('command.output', 'ended'), () => this.#endChannel(command, 'command.closed')];
    }
  }

  #endChannel(command: string, type: 'command.closed' | 'command.lost'): void {
    const model = this.#channels.get(command);
    if (model === undefined) return;
    this.#channels.delete(command);
    this.#say(model.testbed, type, { command });
  }

  #signal({ testbed, command, connection, signal }: CommandOf<'signal'>): void {
    const reaches = this.#connections.get(connection)?.stage === 'ready';
    this.#owe(() => {
      if (!reaches) return this.#say(testbed, 'signal.failed', { command, signal });
      this.#say(testbed, 'signal.delivered', { command, signal, survivors: signal === 'KILL' ? 1 : null });
    });
    const model = this.#channels.get(command);
    if (!reaches || model?.stage !== 'running') return;
    this.#owe(() => {
      if (model.stage !== 'running' || !this.#channels.has(command)) return;
      model.stage = 'ended';
      this.#say(testbed, 'command.signalled', { command, signal });
    });
  }

  #owe(move: Move): void {
    this.#owed.push(move);
  }

  #say<T extends EventType>(testbed: string, type: T, data: Partial<EventData<T>>): void {
    this.#append(draft(type, data, testbed));
  }
}

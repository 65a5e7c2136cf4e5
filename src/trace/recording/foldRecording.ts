import type { Capability, Command, Endpoint, Failure, TrundleEvent } from '../../events/index.ts';
import type { DecisionLine } from '../contract.ts';
import { describeEvent } from '../explain/describeEvent.ts';
import type {
  Asked,
  Cue,
  DialPlan,
  RecordedCommand,
  RecordedCopy,
  RecordedTestbed,
  RecordedVerb,
  Said,
} from './contract.ts';

const VERBS: Readonly<Record<string, RecordedVerb>> = {
  'provision.completed': 'create',
  'provision.failed': 'create',
  'boot.completed': 'start',
  'boot.failed': 'start',
  'endpoint.announced': 'locate',
  'endpoint.failed': 'locate',
  'restart.completed': 'restart',
  'restart.failed': 'restart',
  'reset.completed': 'reset',
  'reset.failed': 'reset',
  'shutdown.completed': 'stop',
  'shutdown.failed': 'stop',
  'destruction.completed': 'destroy',
  'destruction.failed': 'destroy',
};

/** What a backend saw of its testbed, and can see again. */
const OBSERVED: ReadonlySet<string> = new Set([
  ...['process.spawned', 'process.exited', 'guest.panicked', 'guest.stopped', 'endpoint.withdrawn'],
  'progress.reported',
]);

type DialCue = Cue & { kind: 'dial' };

/** Makes of the events of one testbed what a player of it needs. */
export function foldRecording(testbed: string): {
  see(event: TrundleEvent): void;
  decide(line: DecisionLine): void;
  result(): RecordedTestbed | null;
} {
  const cues: Cue[] = [];
  const commands = new Map<string, RecordedCommand>();
  const texts = new Map<string, string>();
  const dials = new Map<string, DialCue>();
  const dialled = new Map<string, number>();
  const logins = new Map<string, string>();
  let asked = false;
  let endpoint: Endpoint | null = null;
  let capabilities: readonly Capability[] = [];
  const copies = new Map<string, RecordedCopy>();
  let complete = false;
  let lastSeq = 0;
  let lastAt = 0;

  const cue = (event: TrundleEvent, what: Asked | Said) => {
    const added = { seq: event.seq, at: event.at, text: describeEvent(event), ...what } as Cue;
    cues.push(added);
    return added;
  };
  const planned = (connection: string, plan: DialPlan) => {
    const dial = dials.get(connection);
    if (dial !== undefined) dial.plan = plan;
  };
  const came = (connection: string, stage: 'banner' | 'exchange' | 'auth') => {
    if (dials.get(connection)?.plan.kind === 'stuck') planned(connection, { kind: 'stuck', stage });
  };

  const see = (event: TrundleEvent) => {
    lastSeq = event.seq;
    lastAt = event.at;
    if (event.type === 'run.concluded') complete ||= event.from === 'machine';
    if (event.type === 'operator.signalled' && asked) cue(event, { kind: 'interrupted', signal: event.signal });
    if (event.testbed !== testbed) return;
    const verb = VERBS[event.type];
    if (verb !== undefined) {
      cue(event, { kind: 'verb-ended', verb, failure: 'failure' in event ? (event.failure as Failure) : null });
    }
    if (OBSERVED.has(event.type)) cue(event, { kind: 'observed', type: event.type, data: dataOf(event) });
    switch (event.type) {
      case 'testbed.requested':
        asked = true;
        return;
      case 'endpoint.announced':
        endpoint ??= event.endpoint;
        capabilities = event.capabilities;
        return;
      case 'console.printed':
        cue(event, { kind: 'console', line: event.line });
        return;
      case 'connection.requested':
        logins.set(event.connection, event.login);
        return;
      case 'dial.started': {
        const { connection } = event;
        dialled.set(connection, (dialled.get(connection) ?? 0) + 1);
        dials.set(
          connection,
          cue(event, { kind: 'dial', connection, plan: { kind: 'stuck', stage: 'connect' } }) as DialCue,
        );
        return;
      }
      case 'socket.connected':
        return came(event.connection, 'banner');
      case 'banner.received':
        return came(event.connection, 'exchange');
      case 'handshake.completed':
        return came(event.connection, 'auth');
      case 'banner.rejected':
        return planned(event.connection, { kind: 'not-ssh', sample: event.sample });
      case 'hostkey.mismatched':
        return planned(event.connection, { kind: 'other-key' });
      case 'auth.refused':
        return planned(event.connection, { kind: 'refused' });
      case 'auth.accepted':
        return planned(event.connection, { kind: 'accepted' });
      case 'dial.failed': {
        const { how, stage, failure } = event;
        return planned(event.connection, { kind: 'failed', how, stage, failure });
      }
      case 'connection.lost': {
        const { connection, how, failure } = event;
        cue(event, { kind: 'lost', connection, how, failure });
        return;
      }
      case 'copy.started': {
        const { copy, direction, source, target } = event;
        const tree = (direction === 'down' ? target : source).endsWith('/');
        copies.set(copy, { copy, direction, tree, complaint: null, hostile: null });
        return;
      }
      case 'copy.failed': {
        const copy = copies.get(event.copy);
        const { detail = '' } = event.cause;
        if (copy === undefined) return;
        copy.complaint = detail.replace(/^on the testbed: /, '');
        if (event.cause.class === 'hostile-archive')
          copy.hostile = /unpacked: ("(?:[^"\\]|\\.)*")/.exec(detail)?.[1] ?? '".."';
        return;
      }
      case 'command.requested': {
        const { command, line, login } = event;
        const copy = copies.get(event.copy ?? '') ?? null;
        texts.set(command, describeEvent(event));
        commands.set(command, {
          command,
          line,
          login,
          requested: event.seq,
          concluded: Number.POSITIVE_INFINITY,
          copy,
        });
        return;
      }
      case 'command.concluded': {
        const of = commands.get(event.command);
        if (of !== undefined) of.concluded = event.seq;
        return;
      }
      case 'channel.opened':
      case 'channel.refused': {
        const of = commands.get(event.command);
        if (of === undefined) return;
        const refused = event.type === 'channel.refused' ? { limit: event.limit, message: event.message } : null;
        const { connection } = event;
        cue(event, {
          kind: 'exec',
          connection,
          of: { ...of, login: of.login || (logins.get(connection) ?? '') },
          refused,
        });
        return;
      }
      case 'signal.delivered':
        if (event.beside === true) return unask(event);
        return answer(event, cue);
      default:
        answer(event, cue);
    }
  };
  /** What was done without a session was never asked of the SSH server. */
  const unask = ({ command, signal }: TrundleEvent<'signal.delivered'>) => {
    const at = cues.findLastIndex(
      (each) => each.kind === 'signal' && each.command === command && each.signal === signal,
    );
    if (at !== -1) cues.splice(at, 1);
  };
  // What was asked is known by the machines' commands: the answer may have come after what came of it.
  const decide = ({ d: seq, c: commands = [] }: DecisionLine) => {
    for (const command of commands) {
      if (!('testbed' in command) || command.testbed !== testbed) continue;
      const what = askedBy(command);
      if (what !== null) cues.push({ seq, at: lastAt, text: wordsOf(what), ...what });
    }
  };
  return {
    see,
    decide,
    result() {
      if (!asked) return null;
      // A command's end and copy became known after its cue was made.
      const settled = cues.map((each) =>
        each.kind === 'exec'
          ? {
              ...each,
              of: { ...(commands.get(each.of.command) as RecordedCommand), login: each.of.login },
              text: texts.get(each.of.command) ?? each.text,
            }
          : each,
      );
      const names = [...new Set(logins.values())];
      return { testbed, endpoint, capabilities, cues: settled, logins: names, dials: dialled, complete, lastSeq };
    },
  };
}

/** What a command of a machine asks of the testbed or of its backend. */
function askedBy(command: Command): Asked | null {
  switch (command.type) {
    case 'create':
    case 'start':
    case 'locate':
    case 'restart':
    case 'reset':
    case 'stop':
    case 'destroy':
      return { kind: 'verb', verb: command.type };
    case 'signal':
      return { kind: 'signal', command: command.command, signal: command.signal };
    case 'identify-boot':
      return { kind: 'identify', connection: command.connection };
    case 'ask-reboot':
      return { kind: 'reboot', connection: command.connection };
    default:
      return null;
  }
}

function wordsOf(asked: Asked): string {
  switch (asked.kind) {
    case 'verb':
      return `the backend is told to ${asked.verb} the testbed`;
    case 'signal':
      return `signal ${asked.signal} is sent to command ${asked.command}`;
    case 'identify':
      return 'the testbed is asked which boot it is';
    default:
      return 'the testbed is told to reboot';
  }
}

/** What the testbed answered to a command or a question. */
function answer(event: TrundleEvent, cue: (event: TrundleEvent, what: Asked | Said) => void): void {
  switch (event.type) {
    case 'command.started':
      return cue(event, { kind: 'started', command: event.command, pid: event.pid });
    case 'command.output': {
      const { command, stream, offset, bytes } = event;
      return cue(event, { kind: 'output', command, stream, offset, bytes });
    }
    case 'command.exited':
      return cue(event, { kind: 'exited', command: event.command, status: event.status });
    case 'command.signalled': {
      const { command, signal, coreDumped } = event;
      return cue(event, { kind: 'signalled', command, signal, coreDumped });
    }
    case 'command.closed':
      return cue(event, { kind: 'closed', command: event.command });
    case 'signal.delivered': {
      const { command, signal, survivors } = event;
      return cue(event, { kind: 'signal-told', command, signal, survivors, failure: null });
    }
    case 'signal.failed': {
      const { command, signal, failure } = event;
      return cue(event, { kind: 'signal-told', command, signal, survivors: null, failure });
    }
    case 'boot.identified':
      return cue(event, { kind: 'identified', connection: event.connection, identity: event.identity, failure: null });
    case 'boot.unidentified':
      return cue(event, { kind: 'identified', connection: event.connection, identity: null, failure: event.failure });
    case 'reboot.asked':
      return cue(event, { kind: 'reboot-told', connection: event.connection });
  }
}

function dataOf(event: TrundleEvent): Record<string, unknown> {
  const { v: _v, seq: _seq, at: _at, run: _run, testbed: _testbed, from: _from, type: _type, ...data } = event;
  return data;
}

import { brief, type EventType, type TrundleEvent } from '../../events/index.ts';
import { neutral } from './neutral.ts';

/** Events that tell of how far something is, or of what only this machine has: no way is parted by them. */
const UNCOUNTED: ReadonlySet<EventType> = new Set<EventType>([
  'command.output',
  'copy.progressed',
  'progress.reported',
  'console.printed',
  'resource.acquired',
  'resource.released',
  'process.spawned',
  'dial.started',
  'hostkey.seen',
  'stream.truncated',
]);

/** Where an event belongs: a key that is the same in both traces, its name in this one, and words. */
export interface Lane {
  key: string;
  name: string;
  of: string;
}

/** Tells the lane of each event of one trace: one machine's way. Commands are known by what they run. */
export class Lanes {
  readonly #run: string;
  readonly #commands = new Map<string, Lane>();
  readonly #copies = new Map<string, Lane>();
  readonly #times = new Map<string, number>();

  constructor(run: string) {
    this.#run = run;
  }

  /** Null where the event belongs to no way. */
  of(event: TrundleEvent): Lane | null {
    if (UNCOUNTED.has(event.type)) return null;
    if (event.type === 'deadline.expired') return this.#subject(event.subject);
    if (event.type === 'event.unexpected') return this.#subject(event.machine);
    if (event.type === 'command.requested') return this.#command(event);
    if (event.type === 'copy.started') return this.#copy(event);
    if (event.type.startsWith('test.') || event.testbed === null) return RUN;
    if ('copy' in event) return this.#copies.get(event.copy) ?? null;
    if ('command' in event) return this.#commands.get(event.command) ?? null;
    if ('forward' in event) return plain(`forward:${event.forward}`, `forward ${event.forward}`);
    if ('connection' in event) return plain(`connection:${event.connection}`, `connection ${event.connection}`);
    const whose = BACKENDS.test(event.type) ? 'backend' : 'testbed';
    return plain(`${whose}:${event.testbed}`, `the ${whose === 'backend' ? 'backend of' : 'testbed'} ${event.testbed}`);
  }

  #subject(subject: string): Lane | null {
    if (subject.startsWith('command:')) return this.#commands.get(subject.slice('command:'.length)) ?? null;
    if (subject === 'run:run') return RUN;
    return plain(subject, subject.replace(':', ' '));
  }

  #command(event: TrundleEvent<'command.requested'>): Lane {
    const { command, login } = event;
    const line = neutral(event.line, this.#run);
    const key = this.#nth(`command ${event.testbed} ${login} ${line}`);
    const lane = { key, name: `command:${command}`, of: `command ${command} (${brief(event.line)})` };
    this.#commands.set(command, lane);
    return lane;
  }

  #copy(event: TrundleEvent<'copy.started'>): Lane {
    const { copy, direction, source, target } = event;
    // Where the host's side of it lies is of no interest.
    const there = direction === 'down' ? target : source;
    const key = this.#nth(`copy ${event.testbed} ${direction} ${neutral(there, this.#run)}`);
    const lane = { key, name: `copy:${copy}`, of: `copy ${copy} (${source} to ${target})` };
    this.#copies.set(copy, lane);
    return lane;
  }

  #nth(key: string): string {
    const time = (this.#times.get(key) ?? 0) + 1;
    this.#times.set(key, time);
    return `${key}#${time}`;
  }
}

const RUN: Lane = { key: 'run:run', name: 'run:run', of: 'the run' };

const BACKENDS =
  /^(?:provision|boot\.(?:completed|failed)|endpoint|restart|reset|shutdown|destruction|keeping|startup|removal|backend|guest|process)/;

function plain(name: string, of: string): Lane {
  return { key: name, name, of };
}

/** Fields of events that are new in each run. */
const VOLATILE: ReadonlySet<string> = new Set([
  ...['v', 'seq', 'at', 'run', 'from', 'command', 'connection', 'copy', 'forward', 'pid', 'bytes', 'offset'],
  ...['evidence', 'event', 'identity', 'before', 'after', 'fingerprint', 'seen', 'expected', 'stderrBytes'],
  ...['endpoint', 'address', 'source', 'sources', 'target', 'trundle', 'backend', 'deadlines', 'leftovers'],
  ...['enter', 'resources'],
  ...['software', 'kex', 'cipher', 'hostKeyAlgorithm', 'survivors', 'message', 'line', 'detail', 'timeout', 'method'],
]);

/** What of an event makes it another than one of the same type. Pure. */
export function essence(event: TrundleEvent, run: string): string {
  const kept = JSON.stringify(event, (name, value: unknown) => (VOLATILE.has(name) ? undefined : value));
  return neutral(kept, run);
}

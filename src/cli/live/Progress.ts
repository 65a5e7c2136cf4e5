import type { Deadline, Decision, TrundleEvent } from '../../events/index.ts';

/** What a run is doing, as far as a person who waits wants to know. Times are `at` of events: ms since the start. */
export interface ProgressView {
  /** As in "making the testbed". */
  readonly activity: string;
  /** When that began. */
  readonly since: number;
  /** What holds it up or how far it is, where that is known. */
  readonly detail: string | null;
  /** Where several run at once, all their names and the last one's position. */
  readonly test: { readonly name: string; readonly position: number; readonly of: number } | null;
  /** The deadline that will end it. */
  readonly deadline: { readonly name: string; readonly at: number } | null;
}

interface Activity {
  readonly words: string;
  /** Deadlines that bound it, the telling ones first. */
  readonly bounds: readonly Deadline[];
}

const ACTIVITIES = {
  starting: { words: 'starting', bounds: [] },
  making: { words: 'making the testbed', bounds: ['provision'] },
  booting: { words: 'starting the testbed', bounds: ['boot', 'endpoint'] },
  connecting: { words: 'connecting', bounds: ['ssh-ready'] },
  preparing: { words: 'preparing', bounds: ['command'] },
  testing: { words: 'running', bounds: ['command'] },
  rebooting: { words: 'rebooting', bounds: ['reboot-up', 'reboot-down', 'restart'] },
  reverting: { words: 'putting the testbed back', bounds: ['reset', 'ssh-ready'] },
  'tearing down': { words: 'taking the testbed down', bounds: ['teardown', 'destroy', 'shutdown', 'keep'] },
  ending: { words: 'ending', bounds: [] },
} satisfies Record<string, Activity>;

type ActivityName = keyof typeof ACTIVITIES;

/** Events that begin another activity. */
const BEGINS: Readonly<Partial<Record<TrundleEvent['type'], ActivityName>>> = {
  'testbed.requested': 'making',
  'provision.completed': 'booting',
  'endpoint.announced': 'connecting',
  'testbed.readied': 'preparing',
  'test.started': 'testing',
  'test.resumed': 'testing',
  'test.finished': 'preparing',
  'reboot.requested': 'rebooting',
  'revert.requested': 'reverting',
  'testbed.failed': 'tearing down',
  'teardown.requested': 'tearing down',
  'testbed.removed': 'ending',
  'testbed.kept': 'ending',
};

/** Events after which what a detail said no longer holds. */
const SETTLES: readonly TrundleEvent['type'][] = ['copy.completed', 'copy.failed', 'connection.established'];

/** A fold over a run's events and its machines' decisions that tells what the run is doing. */
export class Progress {
  #activity: ActivityName = 'starting';
  #since = 0;
  #detail: string | null = null;
  #interrupted = false;
  readonly #tests = new Set<string>();
  /** The testbeds in which tests run. */
  readonly #testing = new Set<string | null>();
  #planned = 0;
  #begun = 0;
  readonly #armed = new Map<string, { name: string; at: number }>();

  see(event: TrundleEvent): void {
    const next = BEGINS[event.type];
    if (next !== undefined && !this.#stays(next) && !this.#elsewhere(event)) {
      this.#activity = next;
      this.#since = event.at;
      this.#detail = null;
    }
    if (SETTLES.includes(event.type)) this.#detail = null;
    this.#note(event);
  }

  /** Takes note of the deadlines that a decision arms and disarms; `at` is when it was made. */
  decided(decision: Decision, at: number): void {
    for (const command of decision.commands) {
      if (command.type === 'arm') {
        const key = `${command.subject} ${command.deadline}`;
        this.#armed.set(key, { name: command.deadline, at: at + command.ms });
      } else if (command.type === 'disarm') this.#armed.delete(`${command.subject} ${command.deadline}`);
    }
  }

  get view(): ProgressView {
    const { words, bounds } = ACTIVITIES[this.#activity];
    return {
      activity: this.#interrupted ? `interrupted, ${words}` : words,
      since: this.#since,
      detail: this.#detail,
      test:
        this.#tests.size === 0 ? null : { name: [...this.#tests].join(', '), position: this.#begun, of: this.#planned },
      deadline: this.#deadline(bounds),
    };
  }

  /** Teardown is not left again; and what a dying testbed still does is no news. */
  #stays(next: ActivityName): boolean {
    if (this.#activity === 'tearing down') return next !== 'ending' && next !== 'making' && next !== 'testing';
    // After a reboot and a revert there is an endpoint too.
    return next === this.#activity || (next === 'connecting' && this.#activity !== 'booting');
  }

  /** While tests run, what other testbeds are at is no news, but for their own tests. */
  #elsewhere({ type, testbed }: TrundleEvent): boolean {
    if (type === 'test.started' || type === 'test.resumed' || this.#tests.size === 0) return false;
    return type === 'test.finished' ? this.#tests.size > 1 : this.#testing.size > 0 && !this.#testing.has(testbed);
  }

  #note(event: TrundleEvent): void {
    switch (event.type) {
      case 'test.planned':
        this.#planned += 1;
        break;
      case 'test.skipped':
        this.#planned -= 1;
        break;
      case 'test.started':
        this.#begun += 1;
        this.#tests.add(event.test);
        this.#testing.add(event.testbed);
        break;
      case 'test.finished':
        this.#tests.delete(event.test);
        this.#testing.delete(event.testbed);
        break;
      case 'dial.failed':
        this.#detail = `${event.failure.message}, trying again`;
        break;
      case 'keepalive.missed':
        this.#detail = `no answer (${event.missed} of ${event.limit})`;
        break;
      case 'copy.started':
        this.#detail = event.direction === 'down' ? 'copying to the testbed' : 'copying from the testbed';
        break;
      case 'copy.progressed':
        this.#detail = `copying, ${bytes(event.bytes)}${event.total === null ? '' : ` of ${bytes(event.total)}`}`;
        break;
      case 'progress.reported':
        this.#detail = `${event.task}: ${event.done}${event.total === null ? '' : ` of ${event.total}`} ${event.unit}`;
        break;
      case 'operator.signalled':
        this.#interrupted = true;
        break;
      case 'deadline.expired':
        this.#armed.delete(`${event.subject} ${event.deadline}`);
        break;
    }
  }

  #deadline(bounds: readonly string[]): ProgressView['deadline'] {
    const armed = [...this.#armed.values()];
    for (const name of bounds) {
      const found = armed.filter((deadline) => deadline.name === name).at(-1);
      if (found !== undefined) return found;
    }
    return null;
  }
}

/** A number of bytes in the unit a person would use. Pure. */
function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const power = Math.min(4, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

import { readFileSync, truncateSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { CauseClass, EventType, Phase } from '../../../../src/events/index.ts';
import type { OpenOptions, Testbed } from '../../../../src/testbed/index.ts';
import type { EventLog } from '../../../support/eventLog.ts';
import type { Draw } from './draw.ts';
import type { Place } from './places.ts';

/** What must come of a fault; null where a command or the testbed goes on as if nothing had been. */
export type Expected = { readonly class: CauseClass; readonly phase: Phase } | null;

/** A fault that is about to happen. */
export interface Fault {
  /** In words, for the name of its test. */
  readonly what: string;
  /** The backend's words, changed by the fault; the sound ones if absent. */
  readonly words?: (directory: string) => readonly string[];
  readonly options?: OpenOptions;
  /** What is done with the testbed once it is open. */
  readonly use?: (testbed: Testbed, log: EventLog, abort: AbortController) => Promise<void>;
  /** The event that aborts the opening. */
  readonly abortAt?: EventType;
  readonly expected: Expected;
  /** Whether the run's cause tells it: what a command is told may come before the death that explains it. */
  readonly ofRun?: true;
}

type Kind = (place: Place, draw: Draw) => Fault | null;

/** By which event each phase of opening is recognised. */
const OPENING: readonly (readonly [EventType, Phase])[] = [
  ['startup.requested', 'provision'],
  ['provision.completed', 'boot'],
  ['dial.started', 'ssh-ready'],
  ['hostkey.verified', 'ssh-ready'],
];

/** Every kind of fault; null where a testbed of that place cannot have it. */
export const KINDS: Readonly<Record<string, Kind>> = {
  'the operator gives up while it is opened': (_place, draw) => {
    const [abortAt, phase] = draw.of(OPENING);
    return { what: `at ${abortAt}`, abortAt, expected: { class: 'operator-interrupted', phase } };
  },
  'the operator gives a command up': (_place, draw) => {
    const grandchildren = draw.below(3);
    return {
      what: `with ${grandchildren} children`,
      expected: { class: 'operator-interrupted', phase: 'exec' },
      use: async (testbed, log, abort) => {
        const sleeps = 'sleep 1000 & '.repeat(grandchildren);
        const running = testbed.exec(`${sleeps}sleep 1000; true`, { signal: abort.signal });
        await Promise.all([running, log.first('command.started').then(() => abort.abort(new Error('enough')))]);
      },
    };
  },
  'a command takes too long': (_place, draw) => {
    const timeout = 50 + draw.below(200);
    return {
      what: `more than ${timeout} ms`,
      expected: { class: 'deadline-expired', phase: 'exec' },
      use: async (testbed) => void (await testbed.exec('trap "" TERM; sleep 1000; sleep 1000', { timeout })),
      options: { deadlines: { terminate: 100 } },
    };
  },
  'a command is killed': (place, draw) => {
    const signal = draw.of(['TERM', 'KILL', 'SEGV', 'ABRT'] as const);
    return {
      what: `by SIG${signal}`,
      expected: null,
      use: async (testbed) => {
        const result = await testbed.exec(`kill -${signal} $$`);
        const told = place.signals ? result.signal : result.status;
        if (told !== (place.signals ? signal : 128 + constants.signals[`SIG${signal}`]))
          throw new Error(`it ended with ${JSON.stringify(result)}`);
        await mustGoOn(testbed);
      },
    };
  },
  'nobody has the name that logs in': () => ({
    what: 'for one command',
    expected: { class: 'auth-refused', phase: 'ssh-ready' },
    use: async (testbed) => void (await testbed.exec(['true'], { login: 'nobody-of-this-name' })),
  }),
  'a file to copy is not there': (_place, draw) => {
    const down = draw.below(2) === 0;
    return {
      what: down ? 'on this side' : 'on the other side',
      expected: { class: 'copy-failed', phase: 'copy' },
      use: async (testbed) => {
        if (down) await testbed.copyDown('/nowhere/at/all', '/tmp/x');
        else await testbed.copyUp('/nowhere/at/all', '/tmp/trundle-never');
      },
    };
  },
  'its first process is killed': (place, draw) => {
    if (!place.init) return null;
    const meanwhile = draw.of(['sleep 1000', 'cat /dev/zero', 'while :; do :; done']);
    return {
      what: `during ${meanwhile}`,
      expected: { class: 'testbed-died', phase: 'exec' },
      ofRun: true,
      use: async (testbed, log) => {
        const running = testbed.exec(meanwhile);
        const { pid } = await log.first('process.spawned');
        await Promise.all([running, log.first('command.started').then(() => process.kill(pid, 'SIGKILL'))]);
      },
    };
  },
  'a verb has no time': (place, draw) => {
    const [deadline, phase] = draw.of([
      ['boot', 'boot'],
      ['endpoint', 'boot'],
    ] as const);
    return place.slow
      ? {
          what: deadline,
          options: { deadlines: { [deadline]: 1 } },
          expected: { class: 'deadline-expired', phase },
        }
      : null;
  },
  'its image is missing': (place) =>
    place.image === null
      ? null
      : {
          what: 'from the start',
          words: (directory) => place.words(join(directory, 'no-such-image')),
          expected: { class: 'provision-failed', phase: 'provision' },
        },
  'its tarball is cut off': (place, draw) => {
    const { tarball } = place;
    if (tarball === null) return null;
    const kept = draw.below(700_000);
    return {
      what: `after ${kept} bytes of its only program`,
      words: (directory) => {
        const file = tarball(join(directory, 'image.tar'));
        truncateSync(file, readFileSync(file).indexOf('\x7fELF', 0, 'latin1') + kept);
        return place.words(file);
      },
      expected: { class: 'provision-failed', phase: 'provision' },
    };
  },
  'its image has no sshd': (place) =>
    place.image === null
      ? null
      : {
          what: 'and a login is asked for',
          words: () => place.words(place.image ?? '', 'login'),
          expected: { class: 'boot-failed', phase: 'boot' },
        },
  'nobody has the name that is to log in': (place) => ({
    what: 'by default',
    words: () =>
      place.words(place.image ?? '', 'stand-in', place.image === null ? '--user' : '--login', 'nobody-of-this-name'),
    expected:
      place.image === null
        ? { class: 'provision-failed', phase: 'provision' }
        : { class: 'boot-failed', phase: 'boot' },
  }),
  'the operator gives a revert up': (place) =>
    place.image === null
      ? null
      : {
          what: 'as it begins',
          expected: { class: 'operator-interrupted', phase: 'revert' },
          use: async (testbed, log, abort) => {
            const under = testbed.revert({ signal: abort.signal });
            await Promise.all([under, log.first('revert.requested').then(() => abort.abort(new Error('not now')))]);
          },
        },
};

async function mustGoOn(testbed: Testbed): Promise<void> {
  const { status } = await testbed.exec(['true']);
  if (status !== 0) throw new Error(`the testbed does not go on: true ended with ${status}`);
}

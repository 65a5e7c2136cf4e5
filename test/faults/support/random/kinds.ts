import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { EventType, Phase } from '../../../../src/events/index.ts';
import type { Testbed } from '../../../../src/testbed/index.ts';
import { workplace } from '../../../support/workplace.ts';
import { MOMENTS } from '../struckRun.ts';
import { ENDING_KINDS } from './endingKinds.ts';
import type { Kind } from './fault.ts';
import { hasty, NO_TIME } from './hasty.ts';
import { MAKING_KINDS } from './makingKinds.ts';
import { REFUSED_KINDS } from './refusedKinds.ts';

/** By which event each phase of opening is recognised. */
const OPENING: readonly (readonly [EventType, Phase])[] = [
  ['startup.requested', 'provision'],
  ['provision.completed', 'boot'],
  ['dial.started', 'ssh-ready'],
  ['hostkey.verified', 'ssh-ready'],
];

/** Every kind of fault. */
export const KINDS: Readonly<Record<string, Kind>> = {
  ...MAKING_KINDS,
  ...REFUSED_KINDS,
  ...ENDING_KINDS,
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
    const [deadline, causeClass, phase] = draw.of([
      ['boot', 'deadline-expired', 'boot'],
      ['endpoint', 'deadline-expired', 'boot'],
      ['shutdown', 'teardown-failed', 'teardown'],
    ] as const);
    if (!place.slow) return null;
    return {
      what: deadline,
      options: { deadlines: { [deadline]: NO_TIME } },
      clock: hasty,
      expected: { class: causeClass, phase },
      ...(phase === 'teardown' ? { ofRun: true } : {}),
    };
  },
  'a disk in it is full': (place, draw) => {
    // A tmpfs over this machine's own /tmp would be nobody's to unmount.
    if (place.exists || !place.init) return null;
    const size = 1 + draw.below(3);
    return {
      what: `/tmp, of ${size} MiB`,
      expected: { class: 'testbed-disk-full', phase: 'copy' },
      use: async (testbed) => {
        await testbed.exec(`mount -t tmpfs -o size=${size}m none /tmp; cat /dev/zero >/tmp/filler`);
        const large = join(workplace(), 'large');
        writeFileSync(large, Buffer.alloc(2 ** 20, 'x'));
        await testbed.copyDown(large, '/tmp/large');
      },
    };
  },
  'somebody else ends it': (place, draw) => {
    if (place.kill === undefined) return null;
    // On a machine that stays, what runs there has to end with its connection.
    const meanwhile = place.exists
      ? 'while echo here; do sleep 1; done'
      : draw.of(['sleep 1000', 'while :; do :; done']);
    return {
      what: `during ${meanwhile}`,
      expected: { class: place.exists ? 'connection-closed' : 'testbed-died', phase: 'exec' },
      ...(place.exists ? {} : { ofRun: true }),
      use: async (testbed, log) => {
        const running = testbed.exec(meanwhile);
        await Promise.all([running, log.first('command.started').then(({ run }) => place.kill?.(run))]);
      },
    };
  },
  'the program gets a signal': (place, draw) => {
    const signal = draw.of(['SIGTERM', 'SIGKILL'] as const);
    const moment = draw.of(MOMENTS);
    if (place.quick === undefined) return null;
    return {
      what: `${signal} in the phase ${moment.phase}`,
      struck: { signal, moment },
      expected: { class: signal === 'SIGTERM' ? 'operator-interrupted' : 'runner-killed', phase: moment.phase },
    };
  },
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
  'the operator gives a reboot up': (place) =>
    place.reboots === undefined
      ? null
      : {
          what: 'as it begins',
          expected: { class: 'operator-interrupted', phase: 'reboot' },
          use: async (testbed, log, abort) => {
            const under = testbed.reboot({ signal: abort.signal });
            await Promise.all([under, log.first('reboot.requested').then(() => abort.abort(new Error('not now')))]);
          },
        },
};

async function mustGoOn(testbed: Testbed): Promise<void> {
  const { status } = await testbed.exec(['true']);
  if (status !== 0) throw new Error(`the testbed does not go on: true ended with ${status}`);
}

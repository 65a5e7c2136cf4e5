import type { Phase } from '../../events/index.ts';
import { each } from '../each.ts';
import { type BackendEvent, backendSetup, type Verb } from './setup.ts';

const REQUESTS = ['startup.requested', 'restart.requested', 'reset.requested'] as const;
const ENDS = {
  create: ['provision.completed', 'provision.failed'],
  start: ['boot.completed', 'boot.failed'],
  locate: ['endpoint.announced', 'endpoint.failed'],
  restart: ['restart.completed', 'restart.failed'],
  reset: ['reset.completed', 'reset.failed'],
  stop: ['shutdown.completed', 'shutdown.failed'],
  destroy: ['destruction.completed', 'destruction.failed'],
  keep: ['keeping.completed', 'keeping.failed'],
} as const;

function endsBut(pending: Verb | undefined): readonly BackendEvent['type'][] {
  return Object.entries(ENDS).flatMap(([verb, types]) => (verb === pending ? [] : types));
}

/** Ends of verbs that were not called, and requests out of order: somebody broke the contract. */
function breach(state: string, options: { pending?: Verb; expected?: readonly BackendEvent['type'][] }) {
  const transition = {
    target: '#backend.confused',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  const ends = endsBut(options.pending);
  const requests = REQUESTS.filter((type) => !(options.expected ?? []).includes(type));
  return each<string, typeof transition>([...ends, ...requests], transition);
}

/** In teardown nothing can be made worse: what was not expected is recorded, and the teardown goes on. */
function shrug(state: string, pending?: Verb) {
  const transition = { actions: { type: 'recordUnexpected' as const, params: { state } } } as const;
  const ends = endsBut(pending);
  return each<string, typeof transition>([...ends, ...REQUESTS], transition);
}

/** A state in which a verb runs, until it ends, its deadline passes, or somebody wants the testbed gone. */
function calling<V extends Verb>(verb: V) {
  return {
    entry: [
      { type: 'call' as const, params: { verb } },
      { type: 'armVerb' as const, params: { verb } },
    ],
    exit: { type: 'disarmVerb' as const, params: { verb } },
  };
}

function failing<V extends Verb>(verb: V) {
  return { target: '#backend.failed', actions: { type: 'noteVerbFailure' as const, params: { verb } } } as const;
}

function overdue<V extends Verb>(verb: V) {
  return {
    guard: { type: 'ofVerb' as const, params: { verb } },
    target: '#backend.cancelling',
    actions: { type: 'noteVerbFailure' as const, params: { verb } },
  } as const;
}

function dying(phase: Phase) {
  return { target: '#backend.cancelling', actions: { type: 'noteDeath' as const, params: { phase } } } as const;
}

const unwanted = { target: '#backend.cancelling', actions: 'noteRemovalWanted' } as const;
const settled = [{ guard: 'removalWanted', target: 'stopping' }, { target: 'failed' }] as const;

/**
 * The provider's side of a testbed: calls the backend's verbs in order, one at a time, each under a deadline,
 * and makes sure that stop and destroy come in the end, whatever happened before.
 */
export const backendMachine = () =>
  backendSetup.createMachine({
    id: 'backend',
    context: ({ input }) => ({
      ...input,
      subject: `backend:${input.testbed}`,
      resources: [],
      endpoint: null,
      capabilities: [],
      cause: null,
      removalWanted: false,
      enter: [],
    }),
    initial: 'absent',
    on: {
      'resource.acquired': { actions: 'noteResource' },
      'resource.released': { actions: 'noteResource' },
    },
    states: {
      absent: {
        on: {
          'startup.requested': 'creating',
          'removal.requested': 'gone',
          ...breach('absent', { expected: ['startup.requested'] }),
        },
      },
      creating: {
        ...calling('create'),
        on: {
          'provision.completed': 'starting',
          'provision.failed': failing('create'),
          'deadline.expired': overdue('create'),
          'removal.requested': unwanted,
          ...breach('creating', { pending: 'create' }),
        },
      },
      starting: {
        ...calling('start'),
        on: {
          'boot.completed': 'locating',
          'boot.failed': failing('start'),
          'deadline.expired': overdue('start'),
          'process.exited': { guard: 'mainProcess', ...dying('boot') },
          'guest.panicked': dying('boot'),
          'recording.left': dying('boot'),
          'guest.stopped': dying('boot'),
          'removal.requested': unwanted,
          ...breach('starting', { pending: 'start' }),
        },
      },
      locating: {
        ...calling('locate'),
        on: {
          'endpoint.announced': { target: 'up', actions: 'noteEndpoint' },
          'endpoint.failed': failing('locate'),
          'deadline.expired': overdue('locate'),
          'process.exited': { guard: 'mainProcess', ...dying('boot') },
          'guest.panicked': dying('boot'),
          'recording.left': dying('boot'),
          'guest.stopped': dying('boot'),
          'removal.requested': unwanted,
          ...breach('locating', { pending: 'locate' }),
        },
      },
      up: {
        entry: 'announceReadied',
        on: {
          'restart.requested': 'restarting',
          'reset.requested': 'resetting',
          // Should it not come to that, it is removed.
          'removal.requested': [
            { guard: 'toBeKept', target: 'keeping', actions: 'noteRemovalWanted' },
            { target: 'stopping' },
          ],
          'process.exited': {
            guard: 'mainProcess',
            target: 'failed',
            actions: { type: 'noteDeath', params: { phase: 'exec' } },
          },
          'guest.panicked': { target: 'failed', actions: { type: 'noteDeath', params: { phase: 'exec' } } },
          'recording.left': { target: 'failed', actions: { type: 'noteDeath', params: { phase: 'exec' } } },
          'guest.stopped': { target: 'failed', actions: { type: 'noteDeath', params: { phase: 'exec' } } },
          'endpoint.withdrawn': { target: 'failed', actions: { type: 'noteDeath', params: { phase: 'exec' } } },
          ...breach('up', { expected: ['restart.requested', 'reset.requested'] }),
        },
      },
      restarting: {
        ...calling('restart'),
        on: {
          'restart.completed': 'locating',
          'restart.failed': failing('restart'),
          'deadline.expired': overdue('restart'),
          'guest.panicked': dying('reboot'),
          'recording.left': dying('reboot'),
          'removal.requested': unwanted,
          ...breach('restarting', { pending: 'restart' }),
        },
      },
      resetting: {
        ...calling('reset'),
        on: {
          'reset.completed': 'locating',
          'reset.failed': failing('reset'),
          'deadline.expired': overdue('reset'),
          'guest.panicked': dying('revert'),
          'recording.left': dying('revert'),
          'removal.requested': unwanted,
          ...breach('resetting', { pending: 'reset' }),
        },
      },
      // What cannot be left as it is is removed; that is no failure of the testbed, and the events tell why.
      keeping: {
        ...calling('keep'),
        on: {
          'keeping.completed': { target: 'kept', actions: 'noteKept' },
          'keeping.failed': 'stopping',
          'deadline.expired': { guard: { type: 'ofVerb', params: { verb: 'keep' } }, target: 'cancelling' },
          'guest.panicked': dying('exec'),
          'recording.left': dying('exec'),
          'guest.stopped': dying('exec'),
          'removal.requested': { guard: 'forced', target: 'cancelling' },
          ...breach('keeping', { pending: 'keep' }),
        },
      },
      // A verb is still running that nobody waits for any more: it is told, and given a moment to end.
      cancelling: {
        entry: ['cancelVerb', 'armCancel'],
        exit: 'disarmCancel',
        on: {
          ...each(
            [...ENDS.create, ...ENDS.start, ...ENDS.locate, ...ENDS.restart, ...ENDS.reset, ...ENDS.keep],
            settled,
          ),
          'deadline.expired': { guard: 'cancel', target: 'confused' },
          // By force: not even a verb that does not heed its cancellation is waited for.
          'removal.requested': [
            { guard: 'forced', target: 'confused', actions: 'noteRemovalWanted' },
            { actions: 'noteRemovalWanted' },
          ],
        },
      },
      // The verb in flight ignores its cancellation, or the order of things is lost: only removal is left.
      confused: {
        entry: 'cancelVerb',
        always: [{ guard: 'removalWanted', target: 'stopping' }, { target: 'failed' }],
      },
      failed: {
        entry: 'announceFailed',
        on: {
          'removal.requested': 'stopping',
        },
      },
      stopping: {
        ...calling('stop'),
        on: {
          // It had stopped by itself before it was told to, which explains why it is told to.
          'guest.stopped': { actions: { type: 'noteDeath', params: { phase: 'exec' } } },
          ...shrug('stopping', 'stop'),
          'shutdown.completed': 'destroying',
          'shutdown.failed': { target: 'destroying', actions: { type: 'noteVerbFailure', params: { verb: 'stop' } } },
          'deadline.expired': {
            guard: { type: 'ofVerb', params: { verb: 'stop' } },
            target: 'destroying',
            actions: { type: 'noteVerbFailure', params: { verb: 'stop' } },
          },
          'removal.requested': { guard: 'forced', target: 'destroying' },
        },
      },
      destroying: {
        ...calling('destroy'),
        on: {
          ...shrug('destroying', 'destroy'),
          'destruction.completed': 'gone',
          'destruction.failed': { target: 'gone', actions: { type: 'noteVerbFailure', params: { verb: 'destroy' } } },
          'deadline.expired': {
            guard: { type: 'ofVerb', params: { verb: 'destroy' } },
            target: 'gone',
            actions: { type: 'noteVerbFailure', params: { verb: 'destroy' } },
          },
        },
      },
      gone: { type: 'final', entry: 'announceRemoved' },
      kept: { type: 'final', entry: 'announceKept' },
    },
  });

import { assign, emit, setup } from 'xstate';
import type {
  Capability,
  Cause,
  CauseClass,
  CommandType,
  Deadline,
  DeadlineTable,
  Endpoint,
  Phase,
  TrundleEvent,
} from '../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from './output.ts';

/** Event types that reach a backend machine. */
export const BACKEND_ALPHABET = [
  'startup.requested',
  'restart.requested',
  'reset.requested',
  'removal.requested',
  'provision.completed',
  'provision.failed',
  'boot.completed',
  'boot.failed',
  'endpoint.announced',
  'endpoint.failed',
  'endpoint.withdrawn',
  'restart.completed',
  'restart.failed',
  'reset.completed',
  'reset.failed',
  'shutdown.completed',
  'shutdown.failed',
  'destruction.completed',
  'destruction.failed',
  'process.exited',
  'guest.panicked',
  'guest.stopped',
  'resource.acquired',
  'resource.released',
  'deadline.expired',
] as const;

type Event = TrundleEvent<(typeof BACKEND_ALPHABET)[number]>;

export interface Context extends Subject {
  resources: readonly string[];
  endpoint: Endpoint | null;
  capabilities: readonly Capability[];
  cause: Cause | null;
  removalWanted: boolean;
}

/** What a backend machine is born with. */
export interface BackendInput {
  testbed: string;
  deadlines: DeadlineTable;
}

type Verb = Extract<CommandType, 'create' | 'start' | 'locate' | 'restart' | 'reset' | 'stop' | 'destroy'>;

/** What each verb is to a person, when it happens, and what its failure is. */
const VERBS: Record<Verb, { deadline: Deadline; phase: Phase; class: CauseClass; doing: string }> = {
  create: { deadline: 'provision', phase: 'provision', class: 'provision-failed', doing: 'creating the testbed' },
  start: { deadline: 'boot', phase: 'boot', class: 'boot-failed', doing: 'starting the testbed' },
  locate: { deadline: 'endpoint', phase: 'boot', class: 'boot-failed', doing: 'finding out where its SSH server is' },
  restart: { deadline: 'restart', phase: 'reboot', class: 'reboot-failed', doing: 'restarting the testbed' },
  reset: { deadline: 'reset', phase: 'revert', class: 'revert-failed', doing: 'putting the testbed back' },
  stop: { deadline: 'shutdown', phase: 'teardown', class: 'teardown-failed', doing: 'stopping the testbed' },
  destroy: { deadline: 'destroy', phase: 'teardown', class: 'teardown-failed', doing: 'removing the testbed' },
};

const machineSetup = setup({
  types: {
    context: {} as Context,
    events: {} as Event,
    emitted: {} as Output,
    input: {} as BackendInput,
  },
  actions: {
    call: emit(({ context }, params: { verb: Verb }) => ({ type: params.verb, testbed: context.testbed })),
    armVerb: emit(({ context }, params: { verb: Verb }) => arm(context, VERBS[params.verb].deadline)),
    disarmVerb: emit(({ context }, params: { verb: Verb }) => disarm(context, VERBS[params.verb].deadline)),
    cancelVerb: emit(({ context }) => ({ type: 'cancel' as const, testbed: context.testbed })),
    armCancel: emit(({ context }) => arm(context, 'cancel')),
    disarmCancel: emit(({ context }) => disarm(context, 'cancel')),
    noteEndpoint: assign({
      endpoint: ({ context, event }) => (event.type === 'endpoint.announced' ? event.endpoint : context.endpoint),
      capabilities: ({ context, event }) =>
        event.type === 'endpoint.announced' ? event.capabilities : context.capabilities,
    }),
    noteVerbFailure: assign({
      cause: ({ context, event }, params: { verb: Verb }) => {
        if (context.cause !== null) return context.cause;
        const verb = VERBS[params.verb];
        if (event.type === 'deadline.expired')
          return causeOf('deadline-expired', verb.phase, verb.doing, [event.seq], `not done within ${event.after} ms`);
        if (!('failure' in event)) return causeOf(verb.class, verb.phase, verb.doing, [event.seq]);
        const { code, message, remedy } = event.failure;
        const detail = `${code === null ? '' : `${code}: `}${message}${remedy === undefined ? '' : `; try: ${remedy}`}`;
        return causeOf(verb.class, verb.phase, verb.doing, [event.seq], detail);
      },
    }),
    noteDeath: assign({
      cause: ({ context, event }, params: { phase: Phase }) => {
        if (context.cause !== null) return context.cause;
        return causeOf('testbed-died', params.phase, 'keeping the testbed alive', [event.seq], deathOf(event));
      },
    }),
    noteRemovalWanted: assign({ removalWanted: true }),
    noteResource: assign({
      resources: ({ context, event }) => {
        if (event.type === 'resource.acquired') return [...context.resources, event.resource];
        if (event.type === 'resource.released') return context.resources.filter((id) => id !== event.resource);
        return context.resources;
      },
    }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    noteConfusion: assign({
      cause: ({ context, event }) =>
        context.cause ?? causeOf('internal-error', 'provision', 'following the backend', [event.seq], `${event.type} was not expected`),
    }),
    announceReadied: emit(({ context }) => ({
      type: 'backend.readied' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      // Set by noteEndpoint on the only way here.
      endpoint: context.endpoint as Endpoint,
      capabilities: [...context.capabilities],
    })),
    announceFailed: emit(({ context }) => ({
      type: 'backend.failed' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      cause: context.cause ?? causeOf('internal-error', 'provision', 'following the backend', []),
    })),
    announceRemoved: emit(({ context }) => ({
      type: 'backend.removed' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      leftovers: [...context.resources],
      cause: context.cause,
    })),
  },
  guards: {
    removalWanted: ({ context }) => context.removalWanted,
    mainProcess: ({ event }) => event.type === 'process.exited' && event.role === 'main',
    forced: ({ event }) => event.type === 'removal.requested' && event.force,
    ofVerb: ({ event }, params: { verb: Verb }) =>
      event.type === 'deadline.expired' && event.deadline === VERBS[params.verb].deadline,
    cancel: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'cancel',
  },
});

function deathOf(event: Event): string {
  switch (event.type) {
    case 'process.exited':
      return `process ${event.process} ended ${event.signal === null ? `with exit status ${event.status}` : `by signal ${event.signal}`}`;
    case 'guest.panicked':
      return `the kernel panicked: ${event.message}`;
    case 'guest.stopped':
      return `the guest stopped: ${event.reason}`;
    case 'endpoint.withdrawn':
      return `the endpoint is gone: ${event.reason}`;
    default:
      return event.type;
  }
}

const REQUESTS = ['startup.requested', 'restart.requested', 'reset.requested'] as const;
const ENDS = {
  create: ['provision.completed', 'provision.failed'],
  start: ['boot.completed', 'boot.failed'],
  locate: ['endpoint.announced', 'endpoint.failed'],
  restart: ['restart.completed', 'restart.failed'],
  reset: ['reset.completed', 'reset.failed'],
  stop: ['shutdown.completed', 'shutdown.failed'],
  destroy: ['destruction.completed', 'destruction.failed'],
} as const;

/** Ends of verbs that were not called, and requests out of order: somebody broke the contract. */
function breach(state: string, options: { pending?: Verb; expected?: readonly Event['type'][] }) {
  const transition = {
    target: '#backend.confused',
    actions: [{ type: 'recordUnexpected' as const, params: { state } }, 'noteConfusion' as const],
  } as const;
  const ends = Object.entries(ENDS).flatMap(([verb, types]): readonly Event['type'][] => (verb === options.pending ? [] : types));
  const requests = REQUESTS.filter((type) => !(options.expected ?? []).includes(type));
  return Object.fromEntries([...ends, ...requests].map((type) => [type, transition])) as Record<string, typeof transition>;
}

/** In teardown nothing can be made worse: what was not expected is recorded, and the teardown goes on. */
function shrug(state: string, pending?: Verb) {
  const transition = { actions: { type: 'recordUnexpected' as const, params: { state } } } as const;
  const ends = Object.entries(ENDS).flatMap(([verb, types]): readonly Event['type'][] => (verb === pending ? [] : types));
  return Object.fromEntries([...ends, ...REQUESTS].map((type) => [type, transition])) as Record<string, typeof transition>;
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
export const backendMachine = machineSetup.createMachine({
  id: 'backend',
  context: ({ input }) => ({
    ...input,
    subject: `backend:${input.testbed}`,
    resources: [],
    endpoint: null,
    capabilities: [],
    cause: null,
    removalWanted: false,
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
        'removal.requested': 'stopping',
        'process.exited': { guard: 'mainProcess', target: 'failed', actions: { type: 'noteDeath', params: { phase: 'exec' } } },
        'guest.panicked': { target: 'failed', actions: { type: 'noteDeath', params: { phase: 'exec' } } },
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
        'removal.requested': unwanted,
        ...breach('resetting', { pending: 'reset' }),
      },
    },
    // A verb is still running that nobody waits for any more: it is told, and given a moment to end.
    cancelling: {
      entry: ['cancelVerb', 'armCancel'],
      exit: 'disarmCancel',
      on: {
        ...Object.fromEntries(
          (['create', 'start', 'locate', 'restart', 'reset'] as const).flatMap((verb) => ENDS[verb].map((type) => [type, settled])),
        ),
        'deadline.expired': [
          { guard: { type: 'cancel' }, target: 'confused' },
        ],
        'removal.requested': { actions: 'noteRemovalWanted' },
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
  },
});

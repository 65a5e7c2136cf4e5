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
} from '../../events/index.ts';
import { arm, causeOf, disarm, type Output, type Subject, unexpected } from '../output.ts';

/** BackendEvent types that reach a backend machine. */
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
  'keeping.completed',
  'keeping.failed',
  'process.exited',
  'guest.panicked',
  'guest.stopped',
  'recording.left',
  'resource.acquired',
  'resource.released',
  'deadline.expired',
] as const;

export type BackendEvent = TrundleEvent<(typeof BACKEND_ALPHABET)[number]>;

export interface BackendContext extends Subject {
  resources: readonly string[];
  endpoint: Endpoint | null;
  capabilities: readonly Capability[];
  cause: Cause | null;
  removalWanted: boolean;
  /** How a person gets into what stays. */
  enter: readonly string[];
}

/** What a backend machine is born with. */
export interface BackendInput {
  testbed: string;
  deadlines: DeadlineTable;
}

/** The backend's verbs, which the backend machine calls. */
export type Verb = Extract<
  CommandType,
  'create' | 'start' | 'locate' | 'restart' | 'reset' | 'stop' | 'destroy' | 'keep'
>;

/** What each verb is to a person, when it happens, and what its failure is. */
const VERBS: Record<Verb, { deadline: Deadline; phase: Phase; class: CauseClass; doing: string }> = {
  create: { deadline: 'provision', phase: 'provision', class: 'provision-failed', doing: 'creating the testbed' },
  start: { deadline: 'boot', phase: 'boot', class: 'boot-failed', doing: 'starting the testbed' },
  locate: { deadline: 'endpoint', phase: 'boot', class: 'boot-failed', doing: 'finding out where its SSH server is' },
  restart: { deadline: 'restart', phase: 'reboot', class: 'reboot-failed', doing: 'restarting the testbed' },
  reset: { deadline: 'reset', phase: 'revert', class: 'revert-failed', doing: 'putting the testbed back' },
  stop: { deadline: 'shutdown', phase: 'teardown', class: 'teardown-failed', doing: 'stopping the testbed' },
  destroy: { deadline: 'destroy', phase: 'teardown', class: 'teardown-failed', doing: 'removing the testbed' },
  keep: { deadline: 'keep', phase: 'teardown', class: 'teardown-failed', doing: 'letting go of the testbed' },
};

/** What a verb that failed is, where that is not the backend's fault. Pure. */
function classOfFailure(verb: Verb, code: string | null): CauseClass {
  const { phase, class: own } = VERBS[verb];
  // No other backend would have had room either.
  if (code === 'ENOSPC' && phase !== 'teardown') return 'host-disk-full';
  // Nothing is there yet that could be to blame: the words after the backend's name are.
  return code === 'usage' && verb === 'create' ? 'wrong-usage' : own;
}

export const backendSetup = setup({
  types: {
    context: {} as BackendContext,
    events: {} as BackendEvent,
    emitted: {} as Output,
    input: {} as BackendInput,
  },
  actions: {
    call: emit(({ context, event }, params: { verb: Verb }) => ({
      type: params.verb,
      testbed: context.testbed,
      ...(event.type === 'restart.requested' && event.line !== undefined ? { line: event.line } : {}),
    })),
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
        if (event.type === 'deadline.expired') {
          // Whatever kept it, a testbed that is not gone is what a person has to know of.
          const overdue = verb.class === 'teardown-failed' ? verb.class : 'deadline-expired';
          return causeOf(overdue, verb.phase, verb.doing, [event.seq], `not done within ${event.after} ms`);
        }
        if (!('failure' in event)) return causeOf(verb.class, verb.phase, verb.doing, [event.seq]);
        const { code, message, remedy } = event.failure;
        const detail = `${code === null ? '' : `${code}: `}${message}${remedy === undefined ? '' : `; try: ${remedy}`}`;
        return causeOf(classOfFailure(params.verb, code), verb.phase, verb.doing, [event.seq], detail);
      },
    }),
    noteDeath: assign({
      cause: ({ context, event }, params: { phase: Phase }) => {
        if (context.cause !== null) return context.cause;
        if (event.type === 'recording.left')
          return causeOf('replay-diverged', params.phase, 'following the recording', [event.seq], departureOf(event));
        return causeOf('testbed-died', params.phase, 'keeping the testbed alive', [event.seq], deathOf(event));
      },
    }),
    noteRemovalWanted: assign({ removalWanted: true }),
    noteKept: assign({
      enter: ({ context, event }) => (event.type === 'keeping.completed' ? event.enter : context.enter),
    }),
    noteResource: assign({
      resources: ({ context, event }) => {
        if (event.type !== 'resource.acquired' && event.type !== 'resource.released') return context.resources;
        const others = context.resources.filter((id) => id !== event.resource);
        return event.type === 'resource.acquired' ? [...others, event.resource] : others;
      },
    }),
    recordUnexpected: emit(({ context, event }, params: { state: string }) => unexpected(context, params.state, event)),
    noteConfusion: assign({
      cause: ({ context, event }) =>
        context.cause ??
        causeOf('internal-error', 'provision', 'following the backend', [event.seq], `${event.type} was not expected`),
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
    announceKept: emit(({ context }) => ({
      type: 'backend.kept' as const,
      testbed: context.testbed,
      from: 'machine' as const,
      enter: [...context.enter],
      resources: [...context.resources],
    })),
  },
  guards: {
    removalWanted: ({ context }) => context.removalWanted,
    mainProcess: ({ event }) => event.type === 'process.exited' && event.role === 'main',
    forced: ({ event }) => event.type === 'removal.requested' && event.force,
    toBeKept: ({ event }) => event.type === 'removal.requested' && event.keep === true && !event.force,
    ofVerb: ({ event }, params: { verb: Verb }) =>
      event.type === 'deadline.expired' && event.deadline === VERBS[params.verb].deadline,
    cancel: ({ event }) => event.type === 'deadline.expired' && event.deadline === 'cancel',
  },
});

function departureOf({ asked, recorded, event }: TrundleEvent<'recording.left'>): string {
  return recorded === null
    ? `${asked}, and the recording ends before that`
    : `${asked}; recorded as event ${event}: ${recorded}`;
}

function deathOf(event: BackendEvent): string {
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

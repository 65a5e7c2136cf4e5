import type { EventType } from '../../events/index.ts';
import type { Sentences } from './describeEvent.ts';
import { causeWords, count, endpointWords, failureWords, list, shellLine } from './words.ts';

/** How each fact of the provider's side is told. */
export const backendSentences = {
  'startup.requested': () => 'the testbed is wanted',
  'restart.requested': () => 'the testbed is to be restarted from outside',
  'reset.requested': () => 'the testbed is to be put back to where it was',
  'removal.requested': (e) =>
    `the testbed is to be ${e.keep === true ? 'left as it is' : 'removed'}${e.force ? ' at once' : ''}`,
  'provision.completed': () => 'the testbed is made',
  'provision.failed': (e) => `the testbed could not be made: ${failureWords(e.failure)}`,
  'boot.completed': () => 'the testbed is started',
  'boot.failed': (e) => `the testbed could not be started: ${failureWords(e.failure)}`,
  'endpoint.announced': (e) => `the testbed can be reached: ${endpointWords(e.endpoint)}, as ${e.endpoint.login}`,
  'endpoint.failed': (e) => `nobody can tell where the testbed can be reached: ${failureWords(e.failure)}`,
  'endpoint.withdrawn': (e) => `the testbed can no longer be reached: ${e.reason}`,
  'restart.completed': () => 'the testbed is restarted',
  'restart.failed': (e) => `the testbed could not be restarted: ${failureWords(e.failure)}`,
  'reset.completed': () => 'the testbed is back to where it was',
  'reset.failed': (e) => `the testbed could not be put back: ${failureWords(e.failure)}`,
  'shutdown.completed': () => 'the testbed is stopped',
  'shutdown.failed': (e) => `the testbed could not be stopped: ${failureWords(e.failure)}`,
  'destruction.completed': () => 'the testbed is removed',
  'destruction.failed': (e) => `the testbed could not be removed: ${failureWords(e.failure)}`,
  'keeping.completed': (e) => `nothing here holds the testbed any more; this gets into it: ${shellLine(e.enter)}`,
  'keeping.failed': (e) => `the testbed could not be left as it is: ${failureWords(e.failure)}`,
  'console.printed': (e) => `the console says: ${e.line}`,
  'process.spawned': (e) => `process ${e.process} (pid ${e.pid}) runs: ${shellLine(e.argv)}`,
  'process.exited': (e) =>
    e.signal === null
      ? `process ${e.process} exited with status ${e.status ?? 'unknown'}`
      : `process ${e.process} was killed by signal ${e.signal}`,
  'guest.panicked': (e) => `the kernel of the testbed panicked: ${e.message}`,
  'recording.left': (e) =>
    e.recorded === null
      ? `the recording ends before this: ${e.asked}`
      : `the program does not do as was recorded: ${e.asked}; recorded is, as event ${e.event}: ${e.recorded}`,
  'guest.stopped': (e) => `the testbed stopped by itself: ${e.reason}`,
  'progress.reported': (e) => `${e.task}: ${e.done}${e.total === null ? '' : ` of ${e.total}`} ${e.unit}`,
  'backend.readied': (e) => `the testbed is up, with ${list(e.capabilities, 'no special capability')}`,
  'backend.failed': (e) => `the backend gave up: ${causeWords(e.cause)}`,
  'backend.removed': (e) => `the backend is done${left(e.leftovers.length)}`,
  'backend.kept': (e) => `the backend leaves the testbed with ${count(e.resources.length, 'resource')}`,
  'resource.acquired': (e) => `the ${e.kind} ${e.name} is taken`,
  'resource.released': (e) => `the resource ${e.resource} is gone`,
} satisfies Partial<Sentences<EventType>>;

function left(leftovers: number): string {
  return leftovers === 0 ? '' : `, but ${count(leftovers, 'resource')} could not be removed`;
}

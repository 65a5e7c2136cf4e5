import type { EventType } from '../../events/index.ts';
import type { Sentences } from './describeEvent.ts';
import { causeWords, count, duration, list, resultWords, shellLine } from './words.ts';

/** How each fact of a run, of its tests and of what happens around them is told. */
export const runSentences = {
  'testbed.requested': (e) => `a testbed of backend ${e.backend} is asked for`,
  'testbed.assigned': (e) => `the testbed serves package ${e.package}`,
  'revert.requested': () => 'the testbed is to be put back to where it was',
  'teardown.requested': (e) =>
    `the testbed is to be ${e.keep === true ? 'kept' : 'taken down'}${e.force ? ' at once' : ''}: ${e.reason}`,
  'testbed.readied': (e) => `the testbed is ready${e.generation > 0 ? ` again (generation ${e.generation})` : ''}`,
  'testbed.failed': (e) => `the testbed failed: ${causeWords(e.cause)}`,
  'testbed.removed': (e) =>
    `the testbed is gone${e.leftovers.length === 0 ? '' : `, but ${count(e.leftovers.length, 'resource')} could not be removed`}`,
  'testbed.kept': (e) => `the testbed stays, as was asked for; this gets into it: ${shellLine(e.enter)}`,
  'run.started': (e) =>
    `Trundle ${e.trundle} starts ${e.tests ? 'a run of tests' : 'a session'}: ${shellLine([...e.sources, '--', ...e.backend])}`,
  'package.started': (e) => `package ${e.package} is taken in hand: ${e.source}`,
  'package.finished': (e) => `package ${e.package} has nothing more to do`,
  'package.concluded': (e) =>
    `package ${e.package} ends with exit code ${e.exitCode}${e.cause === null ? '' : `: ${causeWords(e.cause)}`}`,
  'package.rejected': (e) =>
    `the package cannot be tested${e.file === null ? '' : ` (${e.file}${e.line === null ? '' : `, line ${e.line}`})`}: ${e.message}`,
  'test.planned': (e) =>
    `test ${e.test} is planned${e.superficial ? ', superficial' : ''}${e.restrictions.length === 0 ? '' : `, with ${list(e.restrictions)}`}`,
  'test.skipped': (e) => `test ${e.test} is not run (${e.outcome}): ${e.reason}`,
  'test.started': (e) => `test ${e.test} starts: ${e.command}`,
  'test.suspended': (e) => `test ${e.test} asks for a reboot, to go on with mark ${e.mark}`,
  'test.resumed': (e) => `test ${e.test} goes on after the reboot, with mark ${e.mark}: ${e.command}`,
  'test.finished': (e) =>
    `test ${e.test} ${resultWords(e.result)}${e.stderrBytes === 0 ? '' : `, with ${count(e.stderrBytes, 'byte')} on stderr`}${e.leaked ? ', and left processes behind' : ''}`,
  'test.judged': (e) => `test ${e.test}: ${e.outcome.toUpperCase()}${e.reason === '' ? '' : ` (${e.reason})`}`,
  'step.failed': (e) => `${e.doing} failed: ${causeWords(e.cause)}`,
  'retry.requested': () => 'the testbed is gone, and another is asked for in its place',
  'retry.granted': (e) =>
    `another testbed is to take its place (${e.attempt} of ${e.of}), for it alone was to blame: ${causeWords(e.cause)}`,
  'retry.denied': (e) => `no other testbed takes its place: ${e.reason}`,
  'run.finished': () => 'the run has nothing more to do',
  'run.concluded': (e) =>
    `the run ends with exit code ${e.exitCode}${e.cause === null ? '' : `: ${causeWords(e.cause)}`}`,
  'deadline.expired': (e) => `the deadline ${e.deadline} of ${e.subject} passed, ${duration(e.after)}`,
  'operator.signalled': (e) => `signal ${e.signal} came from outside${e.count > 1 ? `, the ${ordinal(e.count)}` : ''}`,
  'event.unexpected': (e) => `${e.machine} did not expect ${e.eventType} (event ${e.event}) in state ${e.state}`,
} satisfies Partial<Sentences<EventType>>;

function ordinal(number: number): string {
  const word = ['', 'first', 'second', 'third'][number];
  return word ?? `${number}th`;
}

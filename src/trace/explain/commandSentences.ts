import type { EventType } from '../../events/index.ts';
import type { Sentences } from './describeEvent.ts';
import { causeWords, count, duration, failureWords, lossWords, resultWords } from './words.ts';

/** How each fact of a command or a copy is told. */
export const commandSentences = {
  'command.requested': (e) =>
    `command ${e.command} is to run${e.login === '' ? '' : ` as ${e.login}`}${e.timeout === null ? '' : `, for at most ${duration(e.timeout)}`}: ${e.line}`,
  'command.assigned': (e) => `command ${e.command} goes over connection ${e.connection}`,
  'command.abandoned': (e) => `command ${e.command} will not run: ${e.reason}`,
  'cancel.requested': (e) => `command ${e.command} is to be cancelled: ${e.reason}`,
  'channel.opened': (e) => `command ${e.command} has a channel`,
  'channel.refused': (e) =>
    `the server refused command ${e.command} a channel${e.limit ? ', having as many sessions as it allows' : ''}: ${e.message}`,
  'command.started': (e) => `command ${e.command} runs${e.pid === null ? '' : ` with process group ${e.pid}`}`,
  'command.output': (e) => `command ${e.command} wrote ${count(e.bytes, 'byte')} to ${e.stream}`,
  'command.exited': (e) => `command ${e.command} exited with status ${e.status}`,
  'command.signalled': (e) =>
    `command ${e.command} was killed by signal ${e.signal}${e.coreDumped ? ' and dumped core' : ''}`,
  'command.lost': (e) => `command ${e.command} was lost, its connection ${lossWords(e.how)}: ${e.message}`,
  'command.closed': (e) => `command ${e.command} has nothing more to say`,
  'signal.delivered': (e) => `signal ${e.signal} was sent to command ${e.command}${survivors(e.survivors)}`,
  'signal.failed': (e) => `signal ${e.signal} could not be sent to command ${e.command}: ${failureWords(e.failure)}`,
  'command.concluded': (e) =>
    `command ${e.command} ${resultWords(e.result)}${e.leaked ? ' and left processes behind' : ''}${e.cause === null ? '' : ` (${causeWords(e.cause)})`}`,
  'stream.truncated': (e) => `the bytes of ${e.stream} beyond ${count(e.limit, 'byte')} are not kept`,
  'copy.started': (e) =>
    `copy ${e.copy} goes ${e.direction === 'down' ? 'to' : 'from'} the testbed: ${e.source} to ${e.target}`,
  'copy.progressed': (e) => `copy ${e.copy}: ${e.bytes}${e.total === null ? '' : ` of ${e.total}`} bytes`,
  'copy.completed': (e) => `copy ${e.copy} is done, ${count(e.bytes, 'byte')}`,
  'copy.failed': (e) => `copy ${e.copy} failed: ${causeWords(e.cause)}`,
} satisfies Partial<Sentences<EventType>>;

function survivors(number: number | null): string {
  if (number === null) return '';
  return `; ${number === 0 ? 'no process was' : number === 1 ? 'one process was' : `${number} processes were`} there to get it`;
}

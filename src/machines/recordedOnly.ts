import type { EventType } from '../events/index.ts';

/** Event types that no machine hears: they stand in the trace for people and for what reads it. */
export interface RecordedOnly {
  events: readonly EventType[];
  reason: string;
}

/** Every event type that is in no alphabet. A test fails on one that is missing here, and on one that is heard. */
export const RECORDED_ONLY: readonly RecordedOnly[] = [
  {
    events: [
      'testbed.readied',
      'testbed.kept',
      'test.judged',
      'package.concluded',
      'retry.granted',
      'retry.denied',
      'run.concluded',
      'event.unexpected',
    ],
    reason: 'a conclusion of a machine for whoever waits outside: the handle, the runner, a reader of the trace',
  },
  {
    events: ['console.printed', 'progress.reported', 'copy.progressed'],
    reason: 'shows people what goes on; nothing may be decided from it',
  },
  {
    events: ['process.spawned'],
    reason: 'who may be found running; that its end matters is said by role in process.exited',
  },
  {
    events: ['dial.started', 'hostkey.seen'],
    reason: 'the driver tells of a step under way; how it ended is an event of its own, and that is what counts',
  },
  {
    events: ['copy.started', 'copy.completed', 'copy.failed'],
    reason: 'a copy is a command with streams: its command machine decides, and who asked for it draws the conclusion',
  },
  {
    events: ['forward.opened', 'forward.failed', 'forward.closed'],
    reason: 'a forward is the business of who asked for it, and ends with its connection',
  },
  {
    events: ['stream.truncated'],
    reason: 'the recorder keeps fewer bytes; what happened is the same',
  },
];

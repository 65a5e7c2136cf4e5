import * as z from 'zod';
import { defineBackend } from '../contract.ts';
import { ReplayTestbed } from './ReplayTestbed.ts';

export const replayOptions = z.object({
  trace: z.string().describe('directory of a trace, an output directory that holds one, or the id of a run'),
  pace: z.boolean().default(false).describe('keep the recorded times between what the testbed does'),
  loose: z.boolean().default(false).describe('answer commands in order, whatever they are'),
});

/** A testbed that answers as a recorded one did. */
export const replayBackend = defineBackend({
  name: 'replay',
  summary: 'a recorded testbed: answers over SSH what it answered then',
  options: replayOptions,
  help: { positional: ['trace'] },
  probe: () => Promise.resolve({ available: true, detail: 'needs a trace' }),
  // What it can do is in the trace, which is read when the testbed is made.
  capabilities: () => [],
  whyNotKept: () => 'there is only a recording of one',
  open: (options, host) => new ReplayTestbed(options, host),
});

import type { Command } from './command.ts';

/** What one machine made of one event: its state afterwards and what it told the edges to do. */
export interface Decision {
  /** seq of the event. */
  seq: number;
  /** `kind:id`, as in `connection:tb1.c1`. */
  machine: string;
  /** State path after the event, as in `ready.executing`. */
  state: string;
  commands: readonly Command[];
}

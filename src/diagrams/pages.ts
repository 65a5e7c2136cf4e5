import type { MachineKind } from '../machines/index.ts';
import type { Folding } from './foldChart.ts';

/** What a picture of a machine says above it, and what is special about it. */
export interface Page extends Folding {
  readonly title: string;
  /** One sentence for somebody who has never seen it. */
  readonly about: string;
}

/** A page for every machine, in the order in which somebody new had best read them. */
export const PAGES: Readonly<Record<MachineKind, Page>> = {
  run: {
    title: 'The run machine',
    about:
      'A whole run: judges tests, turns signals of the operator into an end in order, and concludes with one exit code.',
  },
  testbed: {
    title: 'The testbed machine',
    about: 'A testbed as who uses it sees it: from the wish for one until it is gone. It owns the pool of connections.',
    order: [['failed', 'tearing-down']],
  },
  backend: {
    title: 'The backend machine',
    about:
      'A testbed as who provides it sees it: calls the verbs of the backend one by one, and removes what was created.',
  },
  connection: {
    title: 'The connection machine',
    about: 'One SSH connection: dials until the server is up, tells every step apart, and ends with one cause.',
  },
  command: {
    title: 'The command machine',
    about: 'One command on one channel: when it has ended, how, and who ends it if it does not.',
    draw: ['command.exited', 'command.signalled'],
  },
  reboot: {
    title: 'The reboot machine',
    about: 'One reboot: it counts only once another boot than the one before has answered.',
  },
};

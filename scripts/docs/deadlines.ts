import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEADLINES, type Deadline } from '../../src/events/index.ts';
import { type Page, table } from './page.ts';

/** What each deadline bounds, and what follows when it passes. */
const NOTES: Readonly<Record<Deadline, readonly [bounds: string, then: string]>> = {
  provision: ['making the testbed', 'the verb is cancelled; `provision-failed`'],
  boot: ['starting the testbed', 'the verb is cancelled; `boot-failed`'],
  endpoint: ['finding out where its SSH server is', 'the verb is cancelled; `boot-failed`'],
  restart: ['restarting the testbed from outside', 'the verb is cancelled; `reboot-failed`'],
  reset: ['putting the testbed back to where it was', 'the verb is cancelled; `revert-failed`'],
  cancel: ['the end of a verb that was cancelled', 'nobody waits for it any longer; the testbed has failed'],
  shutdown: ['stopping the testbed in order', 'it is removed as it is; `teardown-failed`'],
  destroy: ['removing the testbed', '`teardown-failed`; what is left stays in the trace for `trundle reap`'],
  'ssh-ready': ['all attempts to get a connection', 'the last attempt decides, as in `connection-refused`'],
  redial: ['the pause before the next attempt', 'the server is dialled again'],
  connect: ['one attempt: until the stream to the server stands', 'dialled again; `connection-silent` in the end'],
  banner: ["one attempt: until the server's greeting", 'dialled again; `connection-silent` in the end'],
  exchange: ['one attempt: until keys are exchanged', 'dialled again; `connection-silent` in the end'],
  auth: ['one attempt: until the login is decided', 'dialled again; `connection-silent` in the end'],
  'hang-up': ['the end of a connection that we gave up', 'nobody waits for it any longer'],
  channel: ["the server's answer to a request for a session", '`deadline-expired`'],
  command: ['a command, from its start; 0 is no limit', 'it is ended: SIGTERM, then SIGKILL; `test-timed-out`'],
  terminate: ['the end of a command after SIGTERM', 'it gets SIGKILL'],
  kill: ['the end of a command after SIGKILL', 'its channel is closed'],
  drain: ['the end of the output after a command has ended', 'what holds the output open is ended'],
  close: ['the end of a channel that we closed', 'nobody waits for it any longer'],
  settle: ['what runs in the testbed, once it is to be taken down', 'it is taken down all the same'],
  teardown: ['taking the testbed down, all in all', '`teardown-failed`'],
  'reboot-identify': ['learning which boot it is', 'asked again while the reboot may take; else `reboot-failed`'],
  'reboot-down': ['the end of the connection after a reboot was asked for', '`reboot-failed`'],
  'reboot-up': ['the proof of a new boot, from when the old one was gone', '`reboot-failed`'],
};

/** Which machines arm a deadline, as their sources say. */
function armedBy(deadline: Deadline, machines: string): string[] {
  const written = new RegExp(`(?:arm\\(context, |deadline: )'${deadline}'`);
  return readdirSync(machines, { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && written.test(readFileSync(join(machines, entry.name, 'setup.ts'), 'utf8')),
    )
    .map(({ name }) => name);
}

/** Every deadline, from the table in the code. @throws Error for a deadline that no machine arms */
export function deadlinesPage(root: string): Page {
  const rows = Object.entries(DEADLINES).map(([name, ms]) => {
    const machines = armedBy(name as Deadline, join(root, 'src/machines'));
    if (machines.length === 0) throw new Error(`no machine arms the deadline ${name}: take it out of DEADLINES`);
    const [bounds, then] = NOTES[name as Deadline];
    return [`\`${name}\``, String(ms), machines.join(', '), bounds, then];
  });
  return { file: 'deadlines.md', text: `${INTRODUCTION}\n${table(HEAD, rows)}\n` };
}

const HEAD = ['name', 'default (ms)', 'armed by', 'what it bounds', 'when it passes'];

const INTRODUCTION = `# Deadlines

Nothing waits for ever. Whatever a machine waits for has a deadline with a name, and a deadline that passes is an event
like any other: \`deadline.expired\` says which it was, whose, and after how long. \`--deadline NAME=MS\` and the
library's option \`deadlines\` set them. Keepalives are the driver's: a connection that has not answered three of them,
5 s apart, has fallen silent.

A test's own time limit (\`--timeout-test\`) is the deadline \`command\` of its command. Other timeouts of autopkgtest's
kind are set with \`--timeout-KIND\`; see [runner.md](runner.md).

This page is made by \`npm run docs\` from src/events/command.ts and src/machines.
`;

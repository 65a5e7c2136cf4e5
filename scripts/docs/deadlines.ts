import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEADLINES, type Deadline } from '../../src/events/index.ts';
import { DEADLINE_NOTES } from '../../src/trace/explain/deadlines.ts';
import { type Page, table } from './page.ts';

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
    const [bounds, then] = DEADLINE_NOTES[name as Deadline];
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

A test's own time limit (\`--timeout-test\`) is the deadline \`command\` of its command. Unless it is set, the deadline
\`drain\` of a test is a quarter of a second: what it leaves running is ended then, as autopkgtest does. Other timeouts of
autopkgtest's kind are set with \`--timeout-KIND\`; see [runner.md](runner.md).

This page is made by \`npm run docs\` from src/events/command.ts and src/machines.
`;

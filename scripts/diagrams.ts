import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartOf, drawSvg, layoutChart, PAGES, writeMermaid } from '../src/diagrams/index.ts';
import type { MachineKind } from '../src/machines/index.ts';

// `npm run diagrams` draws every machine anew; with --check it only says which pictures are not up to date.
const folder = fileURLToPath(new URL('../diagrams/', import.meta.url));

const README = `# The state machines

Every decision in Trundle is taken by one of these machines, and only because of an event (see
[docs/decisions/0001](../docs/decisions/0001-events-and-machines.md)). The pictures are drawn from \`src/machines\` by
\`npm run diagrams\`; \`npm run qa\` fails where they differ from the code. Each is there as a picture (\`.svg\`) and in
Mermaid's language (\`.mmd\`).

How to read them:

- An arrow bears the event that it waits for, \`[a guard]\` where more has to be true, and after \`/\` what is done on the
  way. A dashed arrow is taken when a deadline passes, a dotted one when something happens that nobody expected.
- In a state stand the commands it gives on being entered, the facts it adds to the trace, and the deadline that starts
  then and is taken back when the state is left. Below them: what it does about an event without being left.
- Yellow notes stand for arrows that would start in many states. Green states with a double line are final.
- What a machine only notes for itself, and what it ignores, is left out. The ignored events stand with their reasons
  in \`src/machines/ignores.ts\`.
`;

/** Every file of diagrams/ as it should be, by name. */
async function draw(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const sections: string[] = [];
  for (const kind of Object.keys(PAGES) as MachineKind[]) {
    const { title, about } = PAGES[kind];
    const chart = chartOf(kind);
    files.set(`${kind}.svg`, drawSvg(await layoutChart(chart), title, about));
    files.set(`${kind}.mmd`, writeMermaid(chart, title, about));
    sections.push(`## ${title}\n\n${about}\n\n![${title}](${kind}.svg)\n`);
  }
  return files.set('README.md', [README, ...sections].join('\n'));
}

function contentOf(name: string): string | null {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return null;
  }
}

const files = await draw();
mkdirSync(folder, { recursive: true });
const stale = readdirSync(folder).filter((name) => !files.has(name));

if (process.argv.includes('--check')) {
  const faults = [
    ...[...files].flatMap(([name, text]) => {
      const found = contentOf(name);
      if (found === null) return [`diagrams/${name} is missing`];
      return found === text ? [] : [`diagrams/${name} differs from the machines`];
    }),
    ...stale.map((name) => `diagrams/${name} belongs to no machine (any more)`),
  ];
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) console.error('Run `npm run diagrams`, look at the pictures, and commit them.');
  else console.log(`${files.size} files in diagrams/ are up to date`);
  process.exitCode = faults.length > 0 ? 1 : 0;
} else {
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  for (const name of stale) console.log(`diagrams/${name} belongs to no machine (any more): remove it`);
  console.log(`${files.size} files written to diagrams/`);
}

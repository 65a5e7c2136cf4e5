import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { causesPage } from '../src/trace/explain/causes.ts';
import { deadlinesPage } from './docs/deadlines.ts';
import { eventsPage } from './docs/events.ts';
import { faultsPage } from './docs/faults.ts';
import { parityPage } from './docs/parity.ts';

// `npm run docs`: makes the pages of docs/ that are tables of the code. With `--check` it writes nothing, and fails
// where a page says something else than the code.
const root = fileURLToPath(new URL('..', import.meta.url));
const pages = [
  eventsPage(),
  deadlinesPage(root),
  { file: 'causes.md', text: causesPage() },
  parityPage(),
  faultsPage(root),
];
const check = process.argv.includes('--check');

for (const { file, text } of pages) {
  const path = join(root, 'docs', file);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  if (check) {
    console.error(`docs/${file} is not what the code says: run \`npm run docs\``);
    process.exitCode = 1;
  } else {
    writeFileSync(path, text);
    console.log(`docs/${file}`);
  }
}

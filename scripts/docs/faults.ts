import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cell, COLUMNS, type FaultRow, TABLE } from '../../test/faults/support/table.ts';
import { type Page, table } from './page.ts';

/**
 * Which fault comes out as which cause, on every backend.
 * @throws Error where a backend is missing in a row, or a test that is named is not there, or does not name the cause
 */
export function faultsPage(root: string): Page {
  const rows = TABLE.map((row) => [row.fault, ...COLUMNS.map((column) => short(cellOf(row, column, root)))]);
  const sections = TABLE.map((row) => `## ${row.fault}\n\n${row.cells.map(line).join('\n')}\n`);
  const text = `${INTRODUCTION}\n${table(['fault', ...COLUMNS], rows)}\n\n${sections.join('\n')}`;
  return { file: 'faults.md', text };
}

function cellOf(row: FaultRow, column: string, root: string): Cell {
  const cells = row.cells.filter(([of]) => of.some((each) => each === column)).map(([, cell]) => cell);
  const [cell, ...more] = cells;
  if (cell === undefined || more.length > 0)
    throw new Error(`test/faults/support/table.ts: "${row.fault}" has ${cells.length} cells for ${column}, not one`);
  if ('test' in cell) mustAssert(cell, row.fault, root);
  return cell;
}

/** The test is there, and names the class, and the code if there is one. */
function mustAssert(cell: Extract<Cell, { test: unknown }>, fault: string, root: string): void {
  const [file, title] = cell.test;
  const path = join(root, 'test', file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const test = testOf(title, text);
  const missing = [cell.class, cell.code].find((word) => word !== undefined && !test.includes(word));
  if (missing === undefined) return;
  throw new Error(`test/faults/support/table.ts: "${fault}": test/${file} has no "${title}" that asserts ${missing}`);
}

/** The text of a test, from its title to the line that closes it, which is indented as its first; '' if there is none. */
function testOf(title: string, text: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.includes(title));
  const first = lines.slice(0, at + 1).findLast((line) => /^ *test\b/.test(line));
  const indent = first?.search(/\S/) ?? 0;
  const length = lines.slice(at).findIndex((line) => /^[})\]]/.test(line.slice(indent)) && line.trim().endsWith(');'));
  return at === -1 || first === undefined ? '' : lines.slice(at, at + length + 1).join('\n');
}

function short(cell: Cell): string {
  if ('never' in cell) return '-';
  return 'open' in cell ? 'open' : (cell.code ?? cell.class);
}

function line([of, cell]: FaultRow['cells'][number]): string {
  const names = of.join(', ');
  if ('never' in cell) return `- ${names}: cannot happen, since ${cell.never}`;
  if ('open' in cell) return `- ${names}: **open**, ${cell.open}`;
  const [file, title] = cell.test;
  const what = cell.code === undefined ? `\`${cell.class}\`` : `\`${cell.code}\`, of the class \`${cell.class}\``;
  return `- ${names}: ${what} ([${file}](../test/${file}): "${title}")`;
}

const INTRODUCTION = `# Faults

What comes of each fault on each backend: the code of the backend's error where it gives one, else the class of the
cause. \`-\` is what cannot happen there, \`open\` what no test asserts yet. Below, each row names its tests, or says why.
Besides, some two hundred faults drawn by a seed happen in test/faults/random.test.ts. [causes.md](causes.md) tells what
each class means.

This page is made by \`npm run docs\` from test/faults/support/table.ts, which is held true: a test that is named must be
there, and name the cause.
`;

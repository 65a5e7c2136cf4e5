import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { BenchOptions } from './options.ts';
import type { BenchRow } from './row.ts';

/** What every other module of this folder exports, if it measures something. */
interface BenchModule {
  rows?: (options: BenchOptions) => Promise<BenchRow[]>;
}

const USAGE = `npm run bench [-- options]

  --only NAME  run bench/NAME.ts alone; may be given again
  --quick      small sizes: shows that the bench works, not how fast anything is
  --json       one JSON document instead of a table
`;

const number = new Intl.NumberFormat('en', { maximumSignificantDigits: 4, useGrouping: true });

function table(rows: readonly BenchRow[]): string {
  const head = ['figure', 'ours', 'reference', 'unit', 'ratio', 'target', ''];
  const lines = rows.map((row) => [
    row.figure,
    number.format(row.ours),
    number.format(row.reference),
    row.unit,
    row.ratio.toFixed(2),
    row.target,
    row.met === null ? '' : row.met ? 'met' : 'NOT MET',
  ]);
  const isNumber = new Set([1, 2, 4]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]?.length ?? 0)));
  return [head, ...lines]
    .map((line) =>
      line.map((cell, column) =>
        isNumber.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      ),
    )
    .map((line) => line.join('  ').trimEnd())
    .join('\n');
}

/** Runs the modules one after another: two at once would measure each other. */
async function measure(
  only: readonly string[],
  options: BenchOptions,
): Promise<{ rows: BenchRow[]; unmeasured: string[] }> {
  const rows: BenchRow[] = [];
  const unmeasured: string[] = [];
  const names = readdirSync(new URL('.', import.meta.url))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .toSorted();
  for (const name of only) if (!names.includes(name)) unmeasured.push(`${name}: there is no bench of this name`);
  for (const name of names) {
    if (only.length > 0 && !only.includes(name)) continue;
    if (name === 'run') continue;
    try {
      const module = (await import(new URL(`${name}.ts`, import.meta.url).href)) as BenchModule;
      if (module.rows === undefined) continue;
      process.stderr.write(`${name} ...\n`);
      rows.push(...(await module.rows(options)));
    } catch (error) {
      unmeasured.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { rows, unmeasured };
}

// Where a machine has it set, each Node.js reads certificates at its start, which takes it as long again and longer:
// that is the machine's affair, and would be measured with every run.
delete process.env.NODE_EXTRA_CA_CERTS;

// A figure is something to look at, not a gate: whatever happens, the exit status stays 0.
try {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) process.stdout.write(USAGE);
  else {
    const result = await measure(values.only, { quick: values.quick });
    if (values.json) console.log(JSON.stringify(result, null, 2));
    else {
      if (result.rows.length > 0) console.log(table(result.rows));
      for (const reason of result.unmeasured) console.log(`not measured: ${reason}`);
    }
  }
} catch (error) {
  console.log(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
}

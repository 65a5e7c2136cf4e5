import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium, type Page } from 'playwright-core';
import { exportReport, inspectTraces } from '../src/inspector/index.ts';
import { bigTrace } from '../test/browser/support/bigTrace.ts';
import { findProgram } from '../test/support/needs.ts';
import { type BenchOptions, median, milliseconds } from './options.ts';
import type { BenchRow } from './row.ts';

const dist = fileURLToPath(new URL('../dist/inspector/', import.meta.url));

/** Filters of all kinds: words that few and many events hold, types, machines, and what is left out. */
const FILTERS = ['tb1.x432', 'stdout', 'type:command.output', 'machine:command is:failure', '-output -"went over"'];

/** How long the page takes over many events, and how large page and report are. Bounds stand where a reference would. */
export async function rows({ quick }: BenchOptions): Promise<BenchRow[]> {
  const place = mkdtempSync(join(tmpdir(), 'trundle-bench-'));
  try {
    const events = quick ? 2000 : 100_000;
    const opened = await overPage(bigTrace(join(place, 'big'), events), quick);
    const report = await exportReport([bigTrace(join(place, 'small'), quick ? 2000 : 10_000)]);
    const page = ['page.js', 'page.css', 'charts.json'].map((name) => gzipSync(readFileSync(join(dist, name))).length);
    const size = page.reduce((sum, each) => sum + each);
    return [
      bounded(`inspector: a trace of ${events} events opened`, opened.open, 5000, 'ms'),
      bounded('inspector: a filter over them answered, the slowest of five', opened.filter, 100, 'ms'),
      bounded('inspector: the page, with gzip', size / 1000, 400, 'kB'),
      bounded('inspector: the report of a run of 10,000 events', report.length / 1000, 2000, 'kB'),
    ];
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function bounded(figure: string, ours: number, reference: number, unit: string): BenchRow {
  const ratio = ours / reference;
  return { figure, ours, reference, unit, ratio, target: '<= 1 x', met: ratio <= 1 };
}

async function overPage(trace: string, quick: boolean): Promise<{ open: number; filter: number }> {
  const executablePath = findProgram('chromium');
  if (executablePath === null) throw new Error('there is no chromium (apt-get install chromium)');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  await using served = await inspectTraces([trace]);
  try {
    const opens: number[] = [];
    const filters: number[] = [];
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      opens.push(
        await milliseconds(async () => {
          await page.goto(served.url);
          await page.locator('.badge').getByText('exit code').waitFor();
        }),
      );
      // Once what is looked through has been made, as it is within the first seconds.
      await filterOnce(page, 'prepare everything');
      const took: number[] = [];
      for (const filter of FILTERS) took.push(await filterOnce(page, filter));
      filters.push(Math.max(...took));
      await page.close();
    }
    return { open: median(opens), filter: median(filters) };
  } finally {
    await browser.close();
  }
}

/** Milliseconds from the last key to the list that answers it, drawn, as the page itself sees them. */
async function filterOnce(page: Page, text: string): Promise<number> {
  return Number(
    await page.evaluate(`new Promise((resolve) => {
      const input = document.getElementById('filter');
      const start = performance.now();
      input.value = ${JSON.stringify(text)};
      input.dispatchEvent(new Event('input', { bubbles: true }));
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
    })`),
  );
}

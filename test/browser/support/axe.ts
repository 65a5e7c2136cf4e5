import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** Faults that keep somebody from using the page, as axe tells them: one line each. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // Evaluated from outside: the page's own policy lets in no other script.
  const { source } = createRequire(import.meta.url)('axe-core') as { source: string };
  await page.evaluate(`{ const module = undefined; ${source} }`);
  const results = (await page.evaluate('axe.run()')) as AxeResults;
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
}

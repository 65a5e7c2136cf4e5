import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/**
 * Faults that keep somebody from using the page, as axe tells them: one line each.
 * @param rules those that are asked; all of them if absent
 */
export async function seriousFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Evaluated from outside: the page's own policy lets in no other script. It is large, and stays.
  if (!(await page.evaluate("'axe' in globalThis"))) {
    const { source } = createRequire(import.meta.url)('axe-core') as { source: string };
    await page.evaluate(`{ const module = undefined; ${source} }`);
  }
  const options = rules === undefined ? {} : { runOnly: { type: 'rule', values: rules } };
  const results = (await page.evaluate(`axe.run(${JSON.stringify(options)})`)) as AxeResults;
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target}: ${failureSummary}`));
}

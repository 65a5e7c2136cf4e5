import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { cli, root } from '../e2e/support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { bigTrace } from './support/bigTrace.ts';
import { endBrowser, openPage, position } from './support/browser.ts';

describeWith(['chromium'], 'an exported report', () => {
  endBrowser();

  test('opens from its file with the network off, and holds events, output and cause', async () => {
    const file = join(workplace(), 'report.html');
    const { status } = await cli(['inspect', join(root, 'test/traces/v1-failing-test'), '--export', file]);
    expect(status).toBe(0);
    const { page, faults } = await openPage(pathToFileURL(file).href, { offline: true });
    await page.getByText('This event proves the cause.').waitFor();
    expect(await page.getByRole('region', { name: 'Cause' }).textContent()).toContain('test-failed');
    await page.getByRole('slider').fill('85');
    await page.getByRole('tab', { name: 'Output' }).first().click();
    await expect.poll(() => page.locator('.printed .now').textContent()).toBe('about to fail\n');
    expect(faults).toEqual([]);
  });

  test('of a run with 10,000 events is at most 2 MB, with an end of every output', async () => {
    const place = workplace();
    const trace = bigTrace(join(place, 'trace'), 10_000);
    const file = join(place, 'report.html');
    expect((await cli(['inspect', trace, '--export', file])).status).toBe(0);
    expect(statSync(file).size).toBeLessThan(2_000_000);
    const { page, faults } = await openPage(pathToFileURL(file).href, { offline: true });
    await expect.poll(() => position(page)).toMatch(/^event 1\d{4} of 1\d{4}/);
    expect(faults).toEqual([]);
  });
});

test('the page is at most 400 KB, compressed, with its charts', () => {
  const sizes = ['page.js', 'page.css', 'charts.json'].map(
    (name) => gzipSync(readFileSync(join(root, 'dist/inspector', name))).length,
  );
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(400_000);
});

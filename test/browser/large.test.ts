import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { bigTrace } from './support/bigTrace.ts';
import { endBrowser, inspecting, openPage, position } from './support/browser.ts';

describeWith(['chromium'], 'the page over 100,000 events', () => {
  endBrowser();

  test('holds only the rows in sight, goes anywhere, and finds one event among all', async () => {
    const { url } = await inspecting([bigTrace(join(workplace(), 'trace'), 100_000)]);
    const { page, faults } = await openPage(url);
    await page.locator('.badge').getByText('exit code').waitFor();
    const last = Number(/of (\d+)/.exec(await position(page))?.[1]);
    expect(last).toBeGreaterThan(100_000);
    expect(await page.getByRole('listbox', { name: 'Events' }).getByRole('option').count()).toBeLessThan(80);
    await page.keyboard.press('Home');
    await page.getByRole('listbox', { name: 'Events' }).getByRole('option', { name: 'run.started' }).waitFor();
    await page.getByRole('slider').fill('50000');
    await page.locator('#event-50000').waitFor();
    await page.getByRole('searchbox', { name: 'Filter' }).fill('type:command.requested "command tb1.x432 "');
    await expect.poll(() => page.locator('.filter output').textContent()).toMatch(/^1 of /);
    await page.getByRole('listbox', { name: 'Events' }).getByRole('option').click();
    expect(await page.locator('.details h2').textContent()).toContain('tb1.x432');
    expect(faults).toEqual([]);
  });
});

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../e2e/support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { seriousFaults } from './support/axe.ts';
import { endBrowser, inspecting, openPage, position } from './support/browser.ts';

const trace = (name: string) => join(root, 'test/traces', name);

describeWith(['chromium'], 'the page over a trace', () => {
  endBrowser();

  test('opens at what proves the cause, with the machine that it moved', async () => {
    const { url } = await inspecting([trace('v1-lost-connection')]);
    const { page, faults } = await openPage(url);
    await page.getByText('This event proves the cause.').waitFor();
    expect(await page.getByRole('region', { name: 'Cause' }).textContent()).toContain('connection-closed');
    expect(await position(page)).toMatch(/^event 55 of 72/);
    expect(await page.locator('.chart-state').textContent()).toContain('connection:tb1.c1');
    expect(await page.locator('.chart .lit').first().getAttribute('data-state')).toBe('failed');
    expect(faults).toEqual([]);
  });

  test('leads from its end to the cause with one key, and to the evidence with one click', async () => {
    const { url } = await inspecting([trace('v1-failing-test')]);
    const { page } = await openPage(url);
    await page.getByText('This event proves the cause.').waitFor();
    await page.keyboard.press('End');
    await expect.poll(() => position(page)).toMatch(/^event 113 of 113/);
    await page.keyboard.press('c');
    await expect.poll(() => position(page)).toMatch(/^event 90 of 113/);
    await page.keyboard.press('Home');
    await expect.poll(() => position(page)).toMatch(/^event 1 of 113/);
    await page.getByRole('list', { name: 'What proves it' }).getByRole('button').first().click();
    await expect.poll(() => position(page)).toMatch(/^event 90 of 113/);
  });

  test('steps from event to event and from failure to failure by keys', async () => {
    const { url } = await inspecting([trace('v1-lost-connection')]);
    const { page } = await openPage(url);
    await page.getByText('This event proves the cause.').waitFor();
    await page.keyboard.press('ArrowLeft');
    expect(await position(page)).toMatch(/^event 54 /);
    await page.keyboard.press('f');
    expect(await position(page)).toMatch(/^event 55 /);
    await page.keyboard.press('f');
    expect(await position(page)).toMatch(/^event 56 /);
    await page.keyboard.press('Shift+F');
    expect(await position(page)).toMatch(/^event 55 /);
    await page.getByRole('slider').fill('22');
    await expect.poll(() => position(page)).toMatch(/^event 22 of 72, 51.470 s/);
  });

  test('filters by words, types and machines, and steps through what is left', async () => {
    const { url } = await inspecting([trace('v1-lost-connection')]);
    const { page } = await openPage(url);
    await page.getByText('This event proves the cause.').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('type:connection.*');
    const found = page.locator('.filter output');
    await expect.poll(() => found.textContent()).toBe('4 of 72');
    await page.getByRole('searchbox', { name: 'Filter' }).fill('is:failure -lingers tb1.x5');
    await expect.poll(() => page.getByRole('listbox', { name: 'Events' }).getByRole('option').count()).toBe(2);
    await page.keyboard.press('Escape');
    await expect.poll(() => found.textContent()).toBe('72');
  });

  test('shows what a command printed as far as the position, and what machines made of an event', async () => {
    const { url } = await inspecting([trace('v1-failing-test')]);
    const { page } = await openPage(url);
    await page.getByText('This event proves the cause.').waitFor();
    await page.getByRole('tab', { name: 'Output' }).first().click();
    await page.getByRole('slider').fill('85');
    await expect.poll(() => page.locator('.printed .now').textContent()).toBe('about to fail\n');
    await page.getByRole('slider').fill('20');
    await page.getByRole('tab', { name: 'Event' }).last().click();
    await page.locator('.decisions').getByText('open-channel').waitFor();
  });

  test('tells of the environment what the trace knows', async () => {
    const { url } = await inspecting([trace('v1-failing-test')]);
    const { page } = await openPage(url);
    await page.getByRole('tab', { name: 'Environment' }).first().click();
    for (const text of ['root-on-testbed', 'OpenSSH_9.2p1', 'amd64', 'Linux 6.1'])
      await page.locator('.side-body').getByText(text).first().waitFor();
  });

  test('shows all machines at once, and each of them readable', async () => {
    const { url } = await inspecting([trace('v1-pass')]);
    const { page } = await openPage(url);
    const machines = page.getByRole('tablist', { name: 'Machines' });
    await machines.getByRole('tab', { name: 'All' }).click();
    await expect.poll(() => page.locator('.card').count()).toBe(6);
    await machines.getByRole('tab', { name: 'testbed' }).click();
    await page.getByRole('img', { name: /The testbed machine: gone/ }).waitFor();
  });

  test('says of a killed run that it has no end, and what it was about', async () => {
    const { url } = await inspecting([trace('v1-killed-truncated')]);
    const { page } = await openPage(url);
    await page.getByText('cut off and was left out').waitFor();
    await page.locator('.waits').getByText('running test lingers').waitFor();
  });

  test('puts two traces beside each other, and leads to where they part', async () => {
    const { url } = await inspecting([trace('v1-pass'), trace('v1-stderr')]);
    const { page, faults } = await openPage(url);
    await page.getByRole('heading', { name: 'Where they parted first' }).waitFor();
    await page.locator('.parting').first().getByRole('button').last().click();
    await expect.poll(() => page.getByLabel('Run shown').inputValue()).toBe('1');
    expect(faults).toEqual([]);
  });

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('has no serious fault for axe, %i pixels wide and %s', async (width, colorScheme) => {
    const { url } = await inspecting([trace('v1-lost-connection')]);
    const { page } = await openPage(url, { viewport: { width, height: 800 }, colorScheme });
    // What is otherwise in the dark is the colours.
    const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
    const tabs = page.getByRole('tablist', { name: width < 760 ? 'Parts of the page' : 'Details' });
    for (const tab of await tabs.getByRole('tab').all()) {
      await tab.click();
      expect(await seriousFaults(page, rules)).toEqual([]);
    }
  });

  test('is never wider than a narrow screen', async () => {
    const { url } = await inspecting([trace('v1-failing-test')]);
    const { page } = await openPage(url, { viewport: { width: 390, height: 800 } });
    for (const tab of await page.getByRole('tablist', { name: 'Parts of the page' }).getByRole('tab').all()) {
      await tab.click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
  });
});

import { expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { inspectSystem } from '../../src/index.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest } from '../support/workplace.ts';
import { seriousFaults } from './support/axe.ts';
import { endBrowser, openPage, position } from './support/browser.ts';

const lamp = createMachine({
  id: 'lamp',
  initial: 'off',
  states: {
    off: { on: { press: 'on' } },
    on: {
      initial: 'dim',
      states: { dim: { on: { press: 'bright' } }, bright: {} },
      on: { cut: 'broken' },
    },
    broken: { type: 'final' },
  },
});

describeWith(['chromium'], "the page over an actor system of somebody else's", () => {
  endBrowser();

  test('shows its machines with their charts, its events with their payload, and what comes later', async () => {
    const inspector = forThisTest(await inspectSystem({ name: 'a lamp' }));
    const actor = createActor(lamp, { inspect: inspector.inspect }).start();
    actor.send({ type: 'press' });
    const { page, faults } = await openPage(inspector.url);
    await page.locator('[data-state="on.dim"].lit').waitFor();
    actor.send({ type: 'press', finger: 'left' } as never);
    await page.locator('[data-state="on.bright"].lit').waitFor();
    await page.locator('.details').getByText('left').first().waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    actor.send({ type: 'cut' });
    await inspector.close();
    await page.locator('[data-state="broken"].lit').waitFor();
    expect(await position(page)).toMatch(/^event (\d+) of \1,/);
    expect(faults).toEqual([]);
  });
});

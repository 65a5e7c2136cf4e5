import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Cli, ownState } from '../e2e/support/cli.ts';
import { describeWith } from '../support/needs.ts';
import { makePackage } from '../support/packages.ts';
import { workplace } from '../support/workplace.ts';
import { endBrowser, openPage, position } from './support/browser.ts';

describeWith(['chromium'], 'the page over a run that goes', () => {
  endBrowser();

  test('follows it, says what a stuck one waits for and which deadline ends that, and shows its end', async () => {
    const place = workplace();
    const gate = join(place, 'gate');
    execFileSync('mkfifo', [gate]);
    makePackage(place, { tests: { waits: `echo begun\nread word <${gate}\necho released\nexit 3` } });
    const cli = new Cli(
      ['run', '--inspect', '--no-open', '--timeout-test', '90', '-o', join(place, 'out'), './sample-1.0', '--', 'null'],
      { cwd: place, env: ownState() },
    );
    await cli.says('/\n');
    const [url = ''] = /http:\S+/.exec(cli.stderr) ?? [];
    const { page, faults } = await openPage(url);
    await page.locator('.badge').getByText('running').waitFor();
    const waits = page.locator('.waits');
    await waits.getByText('running test waits').waitFor();
    expect(await waits.textContent()).toMatch(/command:tb1\.x\d+ is running; deadline command passes in \d+/);
    await page.getByRole('button', { name: 'Pause' }).click();
    const paused = await position(page);
    writeFileSync(gate, 'go\n');
    await page.locator('.badge').getByText('exit code 4').waitFor();
    expect((await position(page)).split(' of ')[0]).toBe(paused.split(' of ')[0]);
    expect((await cli.ended).status).toBe(4);
    expect(await page.getByRole('region', { name: 'Cause' }).textContent()).toContain('test-failed');
    expect(faults).toEqual([]);
    expect(cli.stderr).toContain(`the report is in ${join(place, 'out/report.html')}`);
  });

  test('shows a command of `exec` as well, and keeps a report of one that failed', async () => {
    const place = workplace();
    const gate = join(place, 'gate');
    execFileSync('mkfifo', [gate]);
    const trace = join(place, 'trace');
    const line = `echo begun; read word <${gate}; echo released; exit 3`;
    const cli = new Cli(
      ['exec', '--inspect', '--no-open', '--report', 'on-failure', '--trace', trace, line, '--', 'null'],
      { cwd: place, env: ownState() },
    );
    await cli.says('/\n');
    const [url = ''] = /http:\S+/.exec(cli.stderr) ?? [];
    const { page, faults } = await openPage(url);
    await page.locator('.badge').getByText('running').waitFor();
    await page.keyboard.press('o');
    await page.locator('.printed').getByText('begun').waitFor();
    writeFileSync(gate, 'go\n');
    await page.locator('.badge').getByText('exit code').waitFor();
    expect((await cli.ended).status).toBe(3);
    expect(cli.stderr).toContain(`the report is in ${join(trace, 'report.html')}`);
    expect(readFileSync(join(trace, 'report.html'), 'utf8')).toContain('id="report"');
    // The server has ended with the run; the page keeps what was printed.
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.locator('.printed').getByText('released').waitFor();
    expect(faults).toEqual([]);
  });
});

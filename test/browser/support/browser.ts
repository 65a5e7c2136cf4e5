import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, onTestFinished } from 'vitest';
import { Cli } from '../../e2e/support/cli.ts';
import { findProgram } from '../../support/needs.ts';

/** Milliseconds that anything on a page may take: far more than it ever should, so that only a fault shows. */
const PATIENCE = 60_000;

let launched: Promise<Browser> | null = null;

/** One browser for the tests of a file; each page has a profile of its own. */
async function browser(): Promise<Browser> {
  launched ??= chromium.launch({
    executablePath: findProgram('chromium') ?? 'chromium',
    // Chromium's own sandbox wants another user than root, and shared memory is scarce in containers.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    timeout: PATIENCE,
  });
  return await launched;
}

/** To be called once in a file of tests: ends its browser. */
export function endBrowser(): void {
  afterAll(async () => {
    await (await launched)?.close();
    launched = null;
  });
}

/** A page with what it did wrong: errors, and requests to any place but its own. */
export interface WatchedPage {
  readonly page: Page;
  readonly faults: string[];
}

/** Opens an address in a new profile. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await (await browser()).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && !request.url().startsWith(url)) faults.push(`asked for ${request.url()}`);
  });
  await page.goto(url);
  await page.getByRole('slider', { name: 'Position in the run' }).waitFor();
  return { page, faults };
}

/** `trundle inspect`, running, with the address that it told. */
export async function inspecting(words: readonly string[]): Promise<{ url: string; cli: Cli }> {
  const cli = new Cli(['inspect', '--no-open', ...words]);
  await cli.says('/\n');
  return { url: cli.stdout.trim(), cli };
}

/** What the page says of its position, as in `event 55 of 72`. */
export async function position(page: Page): Promise<string> {
  return (await page.locator('.position').textContent()) ?? '';
}

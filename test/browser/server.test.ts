import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { inspectTraces } from '../../src/inspector/index.ts';
import { forThisTest } from '../support/workplace.ts';

const TRACE = join(fileURLToPath(new URL('../traces/', import.meta.url)), 'v1-failing-test');

/** Status, headers and text of an answer; the Host header as told. */
function ask(url: string, host?: string): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { headers: host === undefined ? {} : { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    }).on('error', reject);
  });
}

test('only who knows the whole address gets in, on this machine, by its own name', async () => {
  const { url } = forThisTest(await inspectTraces([TRACE]));
  const { origin, port } = new URL(url);
  expect(new URL(url).hostname).toBe('127.0.0.1');
  expect((await ask(url)).status).toBe(200);
  expect((await ask(`${origin}/`)).status).toBe(403);
  expect((await ask(url.replace(/.\/$/, '/'))).status).toBe(403);
  expect((await ask(`${origin}/${'x'.repeat(32)}/lines/0`)).status).toBe(403);
  expect((await ask(url, `evil.example:${port}`)).status).toBe(421);
  expect((await ask(`${url}nothing`)).status).toBe(404);
});

test('the page may load nothing from any other place, nor be put into another page', async () => {
  const { url } = forThisTest(await inspectTraces([TRACE]));
  const { headers, text } = await ask(url);
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/,
  );
  expect(headers['referrer-policy']).toBe('no-referrer');
  expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
});

test('lines come as they stand in the trace, with an end; bytes of a stream by their place', async () => {
  const { url } = forThisTest(await inspectTraces([TRACE]));
  const lines = (await ask(`${url}lines/0`)).text.trimEnd().split('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ trundle: '0.1.0' });
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ i: 'end', problem: null });
  expect((await ask(`${url}bytes/0?stream=tb1.x8.stdout&from=6&to=8`)).text).toBe('to');
  expect((await ask(`${url}bytes/0?stream=../events&from=0&to=9`)).text).toBe('');
});

test('a server that is closed takes open pages with it', async () => {
  const page = await inspectTraces([TRACE]);
  await page.close();
  await expect(ask(page.url)).rejects.toThrow('ECONNREFUSED');
});

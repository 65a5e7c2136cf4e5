import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, it } from 'vitest';
import { type WebServer, webServer } from '../support/webServer.ts';
import { type ArchiveCache, archiveCache, expectedDigests } from './support/archiveCache.ts';

const NAME = 'greeter_1.0+x_all.deb';
const CONTENT = 'a package';
const DIGESTS = new Map([[NAME, createHash('sha256').update(CONTENT).digest('hex')]]);

let archive: WebServer;
let served: string;
let place: string;
let directory: string;
let url: string;
beforeAll(async () => {
  archive = await webServer((_request, response) => response.end(served));
  url = `${archive.url}/debian/pool/main/g/greeter/${encodeURIComponent(NAME)}`;
  place = mkdtempSync(path.join(tmpdir(), 'trundle-archive-cache-'));
});
afterAll(async () => {
  await archive?.[Symbol.asyncDispose]();
  if (place !== undefined) rmSync(place, { recursive: true, force: true });
});
beforeEach(() => {
  served = CONTENT;
  directory = mkdtempSync(path.join(place, 'files-'));
});

/** Asks as apt does. */
async function asked(cache: ArchiveCache, what: string): Promise<string> {
  const [response] = (await once(get(cache.url, { path: what }), 'response')) as [IncomingMessage];
  return await text(response);
}

describe("what is kept of the archive's files", () => {
  it('is asked for once, by however many testbeds and runs', async ({ expect }) => {
    await using first = await archiveCache(directory, DIGESTS);
    expect(await Promise.all([asked(first, url), asked(first, url)])).toEqual([CONTENT, CONTENT]);
    expect(first.fetched).toEqual([url]);
    await using second = await archiveCache(directory, DIGESTS);
    expect(await asked(second, url)).toBe(CONTENT);
    expect(second.fetched).toEqual([]);
  });

  it('is had anew where it was damaged', async ({ expect }) => {
    await using cache = await archiveCache(directory, DIGESTS);
    await asked(cache, url);
    truncateSync(path.join(directory, NAME), 3);
    expect(await asked(cache, url)).toBe(CONTENT);
    expect(cache.fetched).toEqual([url, url]);
    expect(readFileSync(path.join(directory, NAME), 'utf8')).toBe(CONTENT);
  });

  it('is nothing but what apt expects', async ({ expect }) => {
    await using cache = await archiveCache(directory, DIGESTS);
    served = 'come back later';
    expect(await asked(cache, url)).toBe(served);
    expect(await asked(cache, `${archive.url}/debian/dists/stable/InRelease`)).toBe(served);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('is known by the lists of apt', ({ expect }) => {
    const lists = path.join(directory, 'var/lib/apt/lists');
    mkdirSync(lists, { recursive: true });
    const [deb, dsc, other] = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
    const stanza = (name: string, digest = '') =>
      `Package: x\nFilename: pool/x/${name}\nSize: 1\nMD5sum: 0\nSHA256: ${digest}\n`;
    writeFileSync(path.join(lists, 'main_Packages'), `${stanza('x_1_all.deb', deb)}\n${stanza('y_1_all.deb', other)}`);
    writeFileSync(
      path.join(lists, 'main_Sources'),
      `Package: x\nFiles:\n ${'0'.repeat(32)} 1 x_1.dsc\nChecksums-Sha256:\n ${dsc} 1 x_1.dsc\nDirectory: pool/x\n`,
    );
    expect(Object.fromEntries(expectedDigests(directory))).toEqual({
      'x_1_all.deb': deb,
      'x_1.dsc': dsc,
      'y_1_all.deb': other,
    });
  });
});

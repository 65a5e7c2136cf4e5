import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import { webServer } from '../../support/webServer.ts';

/** A proxy for apt in testbeds, which keeps what it fetched. */
export interface ArchiveCache extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  /** Words for both programs: apt of their testbeds asks the proxy. */
  readonly words: readonly string[];
  /** What it had to ask the archive for, in order. */
  readonly fetched: readonly string[];
}

/** SHA-256 by the names of files. These are of a package, its version and its architecture. */
export type Digests = ReadonlyMap<string, string>;

/**
 * Starts one. A file is kept where it is the one that apt expects, and handed out as long as it is that: who else uses the
 * directory, or was killed doing so, does not matter. All else is passed on.
 * @param directory where files are kept between runs
 */
export async function archiveCache(directory: string, digests: Digests): Promise<ArchiveCache> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const fetched: string[] = [];
  const coming = new Map<string, Promise<Answer>>();
  const ask = async (url: string): Promise<Answer> => {
    fetched.push(url);
    const answer = await fetch(url);
    return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
  };
  const have = async (url: string, name: string, digest: string): Promise<Answer> => {
    const file = path.join(directory, name);
    const kept = contentOf(file);
    if (kept !== null && sha256(kept) === digest) return { status: 200, body: kept };
    const answer = await ask(url);
    if (answer.status === 200 && sha256(answer.body) === digest) {
      const fresh = `${file}.${process.pid}.new`;
      writeFileSync(fresh, answer.body);
      renameSync(fresh, file);
    }
    return answer;
  };
  const answerTo = (url: string): Promise<Answer> => {
    const name = decodeURIComponent(path.posix.basename(new URL(url).pathname));
    const digest = digests.get(name);
    if (digest === undefined) return ask(url);
    const promise = coming.get(name) ?? have(url, name, digest).finally(() => coming.delete(name));
    coming.set(name, promise);
    return promise;
  };
  const listener: RequestListener = ({ url = '' }, response) => {
    answerTo(url).then(
      ({ status, body }) => response.writeHead(status, { 'content-length': body.length }).end(body),
      (error: Error) => response.writeHead(502).end(error.message),
    );
  };
  const server = await webServer(listener);
  const conf = `Acquire::http::Proxy "${server.url}";`;
  return {
    url: server.url,
    words: ['--setup-commands', `echo '${conf}' >/etc/apt/apt.conf.d/99cache`],
    fetched,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What apt of an unpacked image expects of the archive's files, sources among them. */
export function expectedDigests(root: string): Digests {
  const lists = path.join(root, 'var/lib/apt/lists');
  const digests = new Map<string, string>();
  for (const list of readdirSync(lists).filter((name) => /_(?:Packages|Sources)$/.test(name))) {
    const text = readFileSync(path.join(lists, list), 'utf8');
    for (const [, name = '', digest = ''] of text.matchAll(/^Filename: \S*\/(\S+)$(?:\n.+)*?\nSHA256: (\S+)$/gm))
      digests.set(name, digest);
    for (const [, digest = '', name = ''] of text.matchAll(/^ ([0-9a-f]{64}) \d+ (\S+)$/gm)) digests.set(name, digest);
  }
  return digests;
}

interface Answer {
  readonly status: number;
  readonly body: Uint8Array;
}

function contentOf(file: string): Uint8Array | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

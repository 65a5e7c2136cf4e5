import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { loadAssets } from './assets.ts';
import type { PageInfo } from './contract.ts';
import { SERVED_POLICY, servedPage } from './html.ts';
import { OpenPages } from './OpenPages.ts';
import type { Source } from './TraceSource.ts';

/** What a server shows, and where. */
export interface ServerOptions {
  readonly info: PageInfo;
  /** One for each run of the page. */
  readonly sources: readonly Source[];
  readonly title: string;
  /** 0, the default, takes any free one. */
  readonly port?: number;
}

/** A page that is being served. */
export interface ServedPage extends AsyncDisposable {
  /** Only who has this address gets in: it holds a secret. */
  readonly url: string;
  /** Ends the server and every page's connection. */
  close(): Promise<void>;
  /** The same, once open pages hold all they keep of a run that has ended; they are not waited for longer than a moment. */
  finish(): Promise<void>;
}

/** Milliseconds that pages are waited for at the end. */
const LAST_LINES = 3000;
/** The most bytes of a stream that one answer holds. */
const MOST_BYTES = 1024 * 1024;

/**
 * Serves a page on the loopback interface, to whoever knows its address, which holds a random token.
 * @throws Error where the port is taken
 */
export async function servePage(options: ServerOptions): Promise<ServedPage> {
  const token = randomBytes(24).toString('base64url');
  const ended = new AbortController();
  const pages = new OpenPages();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else send(response, 500, 'text/plain', error instanceof Error ? error.message : String(error));
    });
  });
  const answer = answering({ ...options, token, ended: ended.signal, pages, portOf: () => portOf(server) });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const finish = async () => {
    const timer = new AbortController();
    await Promise.race([pages.left(), setTimeout(LAST_LINES, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
    await close();
  };
  const close = async () => {
    ended.abort();
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${portOf(server)}/${token}/`, close, finish, [Symbol.asyncDispose]: close };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

interface Answering extends ServerOptions {
  readonly token: string;
  readonly ended: AbortSignal;
  readonly pages: OpenPages;
  portOf(): number;
}

function answering({ token, info, sources, title, ended, pages, portOf: port }: Answering) {
  const assets = loadAssets();
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A name that somebody made point here is not ours: a page of theirs must not read this one.
    if (![`127.0.0.1:${port()}`, `localhost:${port()}`].includes(request.headers.host ?? ''))
      return send(response, 421, 'text/plain', 'not the host that was asked for\n');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const [, given = '', route = '', which = '0'] = pathname.split('/');
    if (!sameSecret(given, token)) return send(response, 403, 'text/plain', 'the address lacks its token\n');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(response, 405, 'text/plain', 'this page only shows things\n');
    const source = sources[Number(which)];
    if (route === '') return send(response, 200, 'text/html; charset=utf-8', servedPage(title));
    if (route === 'page.js') return send(response, 200, 'text/javascript; charset=utf-8', assets.script);
    if (route === 'page.css') return send(response, 200, 'text/css; charset=utf-8', assets.style);
    if (route === 'info') return send(response, 200, 'application/json', JSON.stringify(info));
    if (route === 'lines' && source !== undefined) {
      return await pages.during(searchParams.get('page'), sendLines(response, source, ended));
    }
    if (route === 'kept') {
      pages.leave(searchParams.get('page'));
      return send(response, 204, 'text/plain', '');
    }
    if (route === 'bytes' && source !== undefined) {
      const from = wholeNumber(searchParams.get('from'));
      const to = Math.min(wholeNumber(searchParams.get('to')), from + MOST_BYTES);
      const bytes = await source.bytes(searchParams.get('stream') ?? '', from, to);
      return send(response, 200, 'application/octet-stream', bytes);
    }
    send(response, 404, 'text/plain', 'there is nothing here\n');
  };
}

/** Sends a run's lines as they come; the answer is open as long as the run goes. Gives whether all were sent. */
async function sendLines(response: ServerResponse, source: Source, ended: AbortSignal): Promise<boolean> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, headers('application/x-ndjson; charset=utf-8'));
  response.flushHeaders();
  const signal = AbortSignal.any([gone.signal, ended]);
  for await (const block of source.lines(signal)) {
    if (signal.aborted) break;
    if (response.write(block)) continue;
    // Whoever has left, or is sent away, reads no more.
    await once(response, 'drain', { signal }).catch(() => {});
  }
  response.end();
  return !signal.aborted;
}

function headers(type: string): Record<string, string> {
  return {
    'content-type': type,
    'content-security-policy': SERVED_POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, headers(type)).end(body);
}

function sameSecret(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function wholeNumber(text: string | null): number {
  return /^\d{1,15}$/.test(text ?? '') ? Number(text) : 0;
}

import { connect, type Socket as NetworkSocket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Failure, Loss, ReachableEndpoint, RunningServer } from '../events/index.ts';
import { type PipedProcess, pipedChild, startProgram } from '../host/index.ts';

/** A byte stream to an SSH server that is being opened. */
export interface Socket {
  readonly stream: Duplex;
  /** Resolves when bytes can flow; rejects with the system's error. */
  readonly connected: Promise<void>;
  /** What a process behind the stream said on its stderr, shortened; empty for other kinds. */
  lastWords(): string;
}

/** Opens a byte stream to an endpoint. TCP without Nagle's delay: it costs 40 ms a round trip. */
export async function openSocket(endpoint: ReachableEndpoint): Promise<Socket> {
  const { via } = endpoint;
  switch (via.kind) {
    case 'tcp':
      return network(endingAsItWas(connect({ host: via.host, port: via.port, noDelay: true, allowHalfOpen: true })));
    case 'unix':
      return network(connect({ path: via.path }));
    case 'process':
      return throughProcess(via.argv, endpoint.running?.() ?? null);
    case 'memory': {
      if (endpoint.connect === undefined) throw new Error(`endpoint ${via.name} in memory has no connect()`);
      const stream = await endpoint.connect();
      return { stream, connected: Promise.resolve(), lastWords: () => '' };
    }
  }
}

/**
 * Tells a reset from an orderly end where the two look alike: bytes and a reset that arrive together are read as bytes
 * and an end. The kernel still keeps its word for who writes, and a write of nothing asks for it without a byte on the
 * wire. After an orderly end it does nothing, and this side ends as well.
 */
function endingAsItWas(stream: NetworkSocket): Duplex {
  stream.once('end', () => {
    if (stream.writable) stream.write('', () => stream.end());
  });
  return stream;
}

function network(stream: Duplex): Socket {
  const connected = new Promise<void>((resolve, reject) => {
    stream.once('connect', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNABORTED' })));
  });
  return { stream, connected, lastWords: () => '' };
}

/** Characters of a process's stderr that are kept for messages. */
const WORDS = 2000;

function throughProcess(argv: readonly string[], running: RunningServer | null): Socket {
  if (running !== null) return throughPipes(running, running.words, Promise.resolve());
  const [program = '', ...args] = argv;
  // In a session of its own: Ctrl-C at a terminal is for the run, which still needs its testbed to end in order.
  const child = startProgram(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const spawned = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return throughPipes(pipedChild(child), '', spawned);
}

/** @param started rejects where there is no such process: then its streams end of it as well */
function throughPipes(server: PipedProcess, before: string, started: Promise<void>): Socket {
  const { stdin, stdout, stderr } = server;
  let words = before;
  stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-WORDS);
  });
  stderr.resume();
  // Its last words come before its end. Who inherited stderr from it may hold that open for ever.
  const spoken = new Promise<void>((resolve) => {
    stderr.once('end', resolve);
    void server.exited.then(() => setImmediate(resolve));
  });
  const stream = new Duplex({
    // As a socket: when the process has said its last, so have we. ssh2 waits for the close that only then comes.
    allowHalfOpen: false,
    read: () => void stdout.resume(),
    write: (chunk, _encoding, done) =>
      void stdin.write(chunk, (error) => (error ? void spoken.then(() => done(error)) : done())),
    // Who has ended reads no more; how that came about is told by the end of stdout, or by stdin's own error.
    final: (done) => void stdin.end(() => done()),
    destroy(error, done) {
      stdin.destroy();
      stdout.destroy();
      server.farewell();
      done(error);
    },
  });
  stdin.on('error', (error) => void spoken.then(() => stream.destroy(error)));
  stdout.on('data', (chunk) => {
    if (!stream.push(chunk)) stdout.pause();
  });
  stdout.on('end', () => void spoken.then(() => stream.push(null)));
  const connected = started.catch((error: Error) => {
    stream.destroy(error);
    throw error;
  });
  // A program that is not there says so before anybody can listen; `connected` keeps it for them.
  stream.on('error', () => {});
  connected.catch(() => {});
  return { stream, connected, lastWords: () => words.trim() };
}

const LOSS_BY_CODE: Readonly<Record<string, Loss>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'closed',
  ECONNABORTED: 'closed',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ETIMEDOUT: 'unreachable',
};

/** How an error of the byte stream ended it. Pure. */
export function lossOf(error: unknown): Loss {
  const code = codeOf(error);
  if (code === null) return 'closed';
  // Node's own complaints, as opposed to the system's, are about our use of the stream.
  return LOSS_BY_CODE[code] ?? (code.startsWith('ERR_') ? 'local' : 'unreachable');
}

/** An error as a failure for the trace. Pure. */
export function failureOf(error: unknown): Failure {
  return { code: codeOf(error), message: error instanceof Error ? error.message : String(error) };
}

function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

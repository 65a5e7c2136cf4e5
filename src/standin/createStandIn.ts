import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { Entry, StandIn } from './contract.ts';
import { memoryPipe } from './memoryPipe.ts';
import { loadPty, type PtyRequest, PtySession } from './PtySession.ts';
import { Session } from './Session.ts';

/** What a stand-in needs. */
export interface StandInOptions {
  entry: Entry;
  log: (message: string, fields?: Record<string, unknown>) => void;
}

/** Makes an SSH server in this process that runs sessions by an entry into the testbed. */
export function createStandIn(options: StandInOptions): StandIn {
  const hostKey = soundKeyPair();
  const client = soundKeyPair();
  const allowed = Buffer.from(client.public.split(' ')[1] ?? '', 'base64');
  const hostBlob = Buffer.from(hostKey.public.split(' ')[1] ?? '', 'base64');
  const sessions = new Set<Session | PtySession>();
  const streams = new Set<Duplex>();
  const idle: (() => void)[] = [];
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    serve(connection, options, allowed, (session) => {
      sessions.add(session);
      return () => {
        sessions.delete(session);
        if (sessions.size === 0) for (const resolve of idle.splice(0)) resolve();
      };
    });
  });
  return {
    hostKey: `SHA256:${createHash('sha256').update(hostBlob).digest('base64').replace(/=+$/, '')}`,
    clientKey: client.private,
    connect() {
      const [ours, theirs] = memoryPipe();
      streams.add(theirs);
      theirs.once('close', () => streams.delete(theirs));
      theirs.on('error', () => {});
      server.injectSocket(theirs as never);
      return ours;
    },
    async close() {
      for (const session of sessions) session.signal('SIGKILL');
      if (sessions.size > 0) await new Promise<void>((resolve) => idle.push(resolve));
      for (const stream of streams) stream.destroy();
    },
  };
}

/**
 * ssh2 1.17 drops leading zero bytes of the public key, so that one key in 256 is of no use: it cannot read that one
 * back, and neither can anybody else.
 */
function soundKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

type Register = (session: Session | PtySession) => () => void;

function serve(connection: Connection, { entry, log }: StandInOptions, allowed: Buffer, register: Register): void {
  let login = '';
  const own = new Set<Session | PtySession>();
  const keep: Register = (session) => {
    own.add(session);
    const drop = register(session);
    return () => {
      own.delete(session);
      drop();
    };
  };
  connection.on('authentication', (context) => {
    if (isAllowed(context, allowed) && entry.shellOf(context.username) !== null) {
      login = context.username;
      context.accept();
    } else context.reject(['publickey']);
  });
  connection.on('error', (error) => log('stand-in connection', { message: error.message }));
  connection.on('close', () => {
    for (const session of own) session.signal('SIGHUP');
  });
  connection.on('session', (accept) => {
    const channel = accept();
    let pty: PtyRequest | null = null;
    let running: Session | PtySession | null = null;
    // The types know fewer signals and requests than the protocol.
    const on = channel.on.bind(channel) as (name: string, listener: (...args: never[]) => void) => void;
    on(
      'pty',
      (acceptPty: (() => void) | undefined, _reject: unknown, info: { cols: number; rows: number; term: string }) => {
        pty = { columns: info.cols, rows: info.rows, term: info.term || 'dumb' };
        acceptPty?.();
      },
    );
    on(
      'window-change',
      (acceptSize: (() => void) | undefined, _reject: unknown, info: { cols: number; rows: number }) => {
        if (running instanceof PtySession) running.resize({ columns: info.cols, rows: info.rows });
        acceptSize?.();
      },
    );
    on('signal', (acceptSignal: (() => void) | undefined, _reject: unknown, info: { name: string }) => {
      running?.signal(`SIG${info.name.replace(/^SIG/, '')}` as NodeJS.Signals);
      acceptSignal?.();
    });
    const start = (stream: ServerChannel, argv: readonly string[]) => {
      const process = entry.enter(login, argv);
      if (pty === null) {
        const session: Session = new Session(process, stream, () => drop());
        const drop = keep(session);
        running = session;
        return;
      }
      const request = pty;
      void loadPty().then((nodePty) => {
        if (nodePty === null) {
          stream.stderr.write('trundle: no terminal can be made: the optional package node-pty is not installed\n');
          stream.exit(126);
          return stream.end();
        }
        const session: PtySession = new PtySession(nodePty, request, process, stream, () => drop());
        const drop = keep(session);
        running = session;
      });
    };
    on('exec', (acceptExec: () => ServerChannel, _reject: unknown, info: { command: string }) => {
      start(acceptExec(), [entry.shellOf(login) ?? '/bin/sh', '-c', info.command]);
    });
    on('shell', (acceptShell: () => ServerChannel) => start(acceptShell(), [entry.shellOf(login) ?? '/bin/sh', '-l']));
  });
}

function isAllowed(context: AuthContext, allowed: Buffer): boolean {
  if (context.method !== 'publickey' || !context.key.data.equals(allowed)) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  const key = ssh2.utils.parseKey(Buffer.from(`ssh-ed25519 ${allowed.toString('base64')}`));
  if (key instanceof Error) return false;
  const parsed = Array.isArray(key) ? key[0] : key;
  return parsed?.verify(context.blob, context.signature, context.hashAlgo) === true;
}

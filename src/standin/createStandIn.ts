import type { Duplex } from 'node:stream';
import ssh2, { type Connection, type ServerChannel } from 'ssh2';
import { type Clock, systemClock } from '../events/index.ts';
import { isAllowed, publicKeyOf } from './authentication.ts';
import type { Account, Entry, PtyRequest, StandIn } from './contract.ts';
import { heedRequests } from './heedRequests.ts';
import { generateKeys } from './keys.ts';
import { Starter } from './launching/Starter.ts';
import { memoryPipe } from './memoryPipe.ts';
import { loadPty, type NodePty, PtySession } from './PtySession.ts';
import { refuse, Session } from './Session.ts';

/** What a stand-in needs. */
export interface StandInOptions {
  entry: Entry;
  log: (message: string, fields?: Record<string, unknown>) => void;
  clock?: Clock;
}

/** Makes an SSH server in this process that runs sessions by an entry into the testbed. */
export function createStandIn(options: StandInOptions): StandIn {
  const hostKey = generateKeys();
  const client = generateKeys();
  const allowed = publicKeyOf(client);
  const sessions = new Set<Session | PtySession>();
  const streams = new Set<Duplex>();
  const idle: (() => void)[] = [];
  const starter = new Starter(options);
  const clock = options.clock ?? systemClock;
  const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (connection) => {
    serve(connection, options, starter, allowed, (session) => {
      sessions.add(session);
      return () => {
        sessions.delete(session);
        if (sessions.size === 0) for (const resolve of idle.splice(0)) resolve();
      };
    });
  });
  return {
    hostKey: hostKey.fingerprint,
    clientKey: client.privateKey,
    connect() {
      const [ours, theirs] = memoryPipe();
      streams.add(theirs);
      theirs.once('close', () => streams.delete(theirs));
      theirs.on('error', () => {});
      server.injectSocket(theirs as never);
      return ours;
    },
    async close(grace = 0) {
      const under = [...sessions];
      if (grace > 0 && under.length > 0) {
        for (const session of under) session.signal('SIGHUP');
        await new Promise<void>((resolve) => {
          const timer = clock.after(grace, resolve);
          idle.push(() => {
            clock.clear(timer);
            resolve();
          });
        });
      }
      // Of one that has ended somebody may be left who did not heed.
      for (const session of new Set([...under, ...sessions])) session.signal('SIGKILL');
      if (sessions.size > 0) await new Promise<void>((resolve) => idle.push(resolve));
      for (const stream of streams) stream.destroy();
      await starter.close();
    },
  };
}

type Register = (session: Session | PtySession) => () => void;

function serve(
  connection: Connection,
  { entry, log }: StandInOptions,
  starter: Starter,
  allowed: Buffer,
  register: Register,
): void {
  let account: Account | null = null;
  const own = new Set<Session | PtySession>();
  const keep: Register = (session) => {
    own.add(session);
    const drop = register(session);
    return () => {
      own.delete(session);
      drop();
    };
  };
  const stands = async () => {
    const still = await (entry.stands?.() ?? Promise.resolve(true)).catch(() => false);
    if (!still) connection.end();
    return still;
  };
  const lost = (error: Error) => {
    log('how a command ended is not known', { message: error.message });
    connection.end();
  };
  connection.on('authentication', (context) => {
    if (!isAllowed(context, allowed)) return context.reject(['publickey']);
    // First the key alone is offered, then it is proved.
    if (context.method === 'publickey' && context.signature === undefined) return context.accept();
    // The testbed is asked anew at each login: a test may have made the account a moment ago.
    Promise.resolve(entry.find(context.username))
      .catch((error: unknown) => {
        log('stand-in cannot look an account up', { login: context.username, message: String(error) });
        return null;
      })
      .then((found) => {
        account = found;
        if (found === null) context.reject(['publickey']);
        else context.accept();
      });
  });
  connection.on('error', (error) => log('stand-in connection', { message: error.message }));
  connection.on('close', () => {
    for (const session of own) session.signal('SIGHUP');
  });
  connection.on('session', (accept) => {
    const channel = accept();
    heedRequests(channel);
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
        if (pty !== null) pty = { ...pty, columns: info.cols, rows: info.rows };
        if (running instanceof PtySession) running.resize({ columns: info.cols, rows: info.rows });
        acceptSize?.();
      },
    );
    on('signal', (acceptSignal: (() => void) | undefined, _reject: unknown, info: { name: string }) => {
      running?.signal(`SIG${info.name.replace(/^SIG/, '')}` as NodeJS.Signals);
      acceptSignal?.();
    });
    const launch = (stream: ServerChannel, argv: readonly string[], nodePty: NodePty | null) => {
      try {
        if (account === null) return stream.close();
        const onEnd = () => drop();
        const session: Session | PtySession =
          pty === null || nodePty === null
            ? new Session(starter.launch(account, argv), stream, { stands, lost, onEnd })
            : new PtySession(nodePty, pty, entry.enter(account, argv, pty), stream, { stands, onEnd });
        const drop = keep(session);
        running = session;
      } catch (error) {
        // The system would not start it: too many processes, too long a line, an account that has gone.
        refuse(stream, error instanceof Error ? error.message : String(error));
      }
    };
    const start = (stream: ServerChannel, argv: readonly string[]) => {
      if (pty === null) return launch(stream, argv, null);
      void loadPty().then((nodePty) => {
        if (nodePty === null) refuse(stream, 'no terminal can be made: the optional package node-pty is not installed');
        else launch(stream, argv, nodePty);
      });
    };
    on('exec', (acceptExec: () => ServerChannel, _reject: unknown, info: { command: string }) => {
      start(acceptExec(), [account?.shell ?? '/bin/sh', '-c', info.command]);
    });
    on('shell', (acceptShell: () => ServerChannel) => start(acceptShell(), [account?.shell ?? '/bin/sh', '-l']));
  });
}

import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { startProgram } from '../../host/index.ts';
import { BackendError } from '../contract.ts';
import { lastLine, notStarted, ownEnvironment, runProgram } from '../shared/runProgram.ts';
import type { Client } from './commands.ts';

/** Milliseconds after which the daemon is asked again for something that it would tell. */
const AGAIN = 200;

/** What a daemon tells of an instance: what has become of it, as in `instance-stopped`, or how something that was asked for goes. */
export type News =
  | { readonly kind: 'lifecycle'; readonly what: string }
  | { readonly kind: 'operation'; readonly what: string; readonly status: string };

/** What is told of an instance. */
export interface MonitorOptions {
  readonly client: Client;
  readonly instance: string;
  readonly told: (news: News) => void;
  /** Called when nothing will be told any more, because the client has ended. */
  readonly ended: (stderr: string) => void;
}

/** Listens to a daemon's events (`monitor` of its client): it alone knows when an instance ends, or is ended. */
export class Monitor {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #gone: Promise<void>;
  /** Called at the next event of the instance, whatever it is. */
  #heard: (() => void) | null = null;

  private constructor(child: ChildProcessByStdio<null, Readable, Readable>, { instance, told, ended }: MonitorOptions) {
    this.#child = child;
    let rest = '';
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-16_384);
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const news = newsOf(instance, line);
        if (news === null) continue;
        this.#heard?.();
        told(news);
      }
    });
    this.#gone = new Promise((resolve) => {
      child.once('close', () => {
        resolve();
        ended(stderr);
      });
      child.once('error', () => resolve());
    });
  }

  /**
   * Begins to listen to what happens to an instance that is there already; resolves when nothing can be missed. The
   * client does not say when it is connected, so something is done to the instance that it must tell of.
   * @throws BackendError where the client is missing, the signal's reason
   */
  static async start(options: MonitorOptions, signal: AbortSignal): Promise<Monitor> {
    signal.throwIfAborted();
    const { argv, remote } = options.client;
    const [program = '', ...args] = [
      ...argv,
      'monitor',
      ...(remote === '' ? [] : [remote]),
      '--type=lifecycle',
      '--type=operation',
      '--format=json',
    ];
    const child = startProgram(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: ownEnvironment(),
    });
    const failed = new Promise<never>((_, reject) =>
      child.once('error', (error) => reject(notStarted(program, error))),
    );
    const monitor = new Monitor(child, options);
    try {
      await Promise.race([failed, monitor.#whenListening(options, signal)]);
      return monitor;
    } catch (error) {
      await monitor.stop();
      throw error;
    }
  }

  /** Stops listening. */
  async stop(): Promise<void> {
    try {
      const { pid, exitCode, signalCode } = this.#child;
      if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: it has just ended, which is what was wanted.
    }
    await this.#gone;
  }

  async #whenListening({ client, instance }: MonitorOptions, signal: AbortSignal): Promise<void> {
    let isHeard = false;
    const heard = new Promise<void>((resolve) => {
      this.#heard = () => {
        isHeard = true;
        resolve();
      };
    });
    let over = false;
    void this.#gone.then(() => {
      over = true;
    });
    for (let asked = 1; !isHeard && !over; asked += 1) {
      const name = `${client.remote}${instance}`;
      const set = await runProgram([...client.argv, 'config', 'set', name, `user.trundle=${asked}`], { signal });
      if (set.status !== 0 && /not found/i.test(set.stderr))
        throw new BackendError('lost', `the instance ${instance} is not there any more: ${lastLine(set.stderr)}`);
      await Promise.race([heard, this.#gone, new Promise((resolve) => setTimeout(resolve, AGAIN))]);
    }
    this.#heard = null;
  }
}

/** What a line of the monitor says of an instance; null where it speaks of something else. Pure. */
export function newsOf(instance: string, line: string): News | null {
  if (!line.startsWith('{')) return null;
  try {
    const { metadata: told } = JSON.parse(line) as { metadata?: Told };
    const { action, source, description, status, resources } = told ?? {};
    if (typeof action === 'string') return isOf(instance, source) ? { kind: 'lifecycle', what: action } : null;
    if (typeof description !== 'string' || typeof status !== 'string') return null;
    const isOurs = resources?.instances?.some((path) => isOf(instance, path)) ?? false;
    return isOurs ? { kind: 'operation', what: description, status } : null;
  } catch {
    // Half a line, at the end of a daemon that was killed.
    return null;
  }
}

/** What may stand in an event: of what happened, or of an operation. */
interface Told {
  readonly action?: unknown;
  readonly source?: unknown;
  readonly description?: unknown;
  readonly status?: unknown;
  readonly resources?: { readonly instances?: readonly unknown[] | null } | null;
}

/** Whether a path of the daemon's is an instance's. */
function isOf(instance: string, path: unknown): boolean {
  if (typeof path !== 'string') return false;
  const [place = ''] = path.split('?');
  return place.split('/').at(-1) === instance;
}

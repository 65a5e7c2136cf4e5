import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { startProgram } from '../../host/index.ts';
import { notStarted, ownEnvironment, runProgram } from '../shared/runProgram.ts';
import type { Client } from './commands.ts';

/** Milliseconds after which the daemon is asked again for something that it would tell. */
const AGAIN = 200;

/** What is told of an instance. */
export interface MonitorOptions {
  readonly client: Client;
  readonly instance: string;
  /** Called with what became of the instance, as in `instance-stopped`. */
  readonly told: (action: string) => void;
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
        const action = actionOn(instance, line);
        if (action === null) continue;
        this.#heard?.();
        told(action);
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
      await runProgram([...client.argv, 'config', 'set', name, `user.trundle=${asked}`], { signal });
      await Promise.race([heard, this.#gone, new Promise((resolve) => setTimeout(resolve, AGAIN))]);
    }
    this.#heard = null;
  }
}

/** What a line of the monitor says has become of an instance; null where it speaks of something else. Pure. */
export function actionOn(instance: string, line: string): string | null {
  if (!line.startsWith('{')) return null;
  try {
    const { metadata } = JSON.parse(line) as { metadata?: { action?: unknown; source?: unknown } };
    const { action, source } = metadata ?? {};
    if (typeof action !== 'string' || typeof source !== 'string') return null;
    const [path = ''] = source.split('?');
    return path.split('/').at(-1) === instance ? action : null;
  } catch {
    // Half a line, at the end of a daemon that was killed.
    return null;
  }
}

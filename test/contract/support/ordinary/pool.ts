import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from 'vitest/node';

/** The account that tests run as, where root runs them. Made once for all test files of the project. */
export interface TestAccount {
  readonly login: string;
  readonly home: string;
  /** Its TMPDIR. */
  readonly temporary: string;
  /** Where the images of the tests are kept. */
  readonly images: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    account: TestAccount;
  }
}

/** Milliseconds that a worker has to end by itself. */
const PATIENCE = 5000;

const project = fileURLToPath(new URL('../../../..', import.meta.url));

/**
 * Vitest's workers as an ordinary user: whole processes, as whoever is not root would run them, so that nothing of what
 * a backend does is done by root. Where an ordinary user runs the tests already, they are that user's.
 */
export const ORDINARY_WORKERS: PoolRunnerInitializer = {
  name: 'ordinary-user',
  createPoolWorker: (options) => new OrdinaryWorker(options),
};

class OrdinaryWorker implements PoolWorker {
  readonly name = ORDINARY_WORKERS.name;
  // What root caches need not be readable for others.
  readonly cacheFs = false;
  readonly #options: PoolOptions;
  #child: ChildProcess | null = null;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  start(): Promise<void> {
    const { project: of, distPath, execArgv, env } = this.#options;
    const account = of.getProvidedContext().account as TestAccount | undefined;
    const argv = [...(account === undefined ? [] : becoming(account.login)), process.execPath, ...execArgv];
    const [execPath = '', ...before] = argv;
    this.#child ??= fork(join(distPath, 'workers/forks.js'), [], {
      execPath,
      execArgv: before,
      env: account === undefined ? env : { ...env, ...environmentOf(account) },
      stdio: 'inherit',
      serialization: 'advanced',
    });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    child.kill();
    await gone;
    clearTimeout(late);
  }

  on(event: string, callback: (value: unknown) => void): void {
    this.#child?.on(event, callback);
  }

  off(event: string, callback: (value: unknown) => void): void {
    this.#child?.off(event, callback);
  }

  send(message: WorkerRequest): void {
    this.#child?.send(message);
  }

  deserialize(data: unknown): unknown {
    return data;
  }
}

function environmentOf({ login, home, temporary, images }: TestAccount): NodeJS.ProcessEnv {
  const unset = ['XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR', 'MAIL'];
  return {
    ...Object.fromEntries(unset.map((name) => [name, undefined])),
    HOME: home,
    USER: login,
    LOGNAME: login,
    SHELL: '/bin/sh',
    TMPDIR: temporary,
    TRUNDLE_TEST_IMAGES: images,
  };
}

/** The beginning of a command line that makes root an ordinary user who can read this project, wherever it is. */
function becoming(login: string): string[] {
  const become = ['setpriv', '--reuid', login, '--regid', login, '--init-groups'];
  const closed = closedDirectory(project);
  if (closed === null) return become;
  // A view of this process and of what it starts: the way to the project, and nothing else of what is closed.
  const script = `mount --bind "$1" /mnt
mount -t tmpfs -o mode=755 none "$2"
mkdir -p "$1"
mount --move /mnt "$1"
cd "$1"
shift 2
exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', script, 'sh', project, closed, ...become];
}

/** The first directory on the way to a path that others may not pass; null where there is none. */
function closedDirectory(path: string): string | null {
  const above = dirname(path);
  const closed = above === path ? null : closedDirectory(above);
  return closed ?? ((statSync(path).mode & 0o001) === 0 ? path : null);
}

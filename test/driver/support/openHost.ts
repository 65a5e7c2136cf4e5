import { chmodSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { EMPTY } from 'rxjs';
import { afterAll, beforeAll } from 'vitest';
import { type ConfiguredBackend, configureBackend } from '../../../src/backends/index.ts';
import type { Capability, ReachableEndpoint } from '../../../src/events/index.ts';
import { createRun, type OpenOptions, type Run, type RunOptions, type Testbed } from '../../../src/testbed/index.ts';
import { sessionEnvironment, startSshServer } from '../../faults/support/sshServer.ts';
import { EventLog } from '../../support/eventLog.ts';
import { describeWith, have, type Need } from '../../support/needs.ts';
import { makeOrdinaryUser } from '../../support/ordinaryUser.ts';
import { forThisTest, workplace } from '../../support/workplace.ts';

/** An open testbed, and all that was told from the first moment on. */
export interface OpenHost extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly log: EventLog;
}

/** How to open one. */
export type HostOptions = Pick<OpenOptions, 'deadlines' | 'maxConnections'> & Pick<RunOptions, 'clock' | 'log'>;

/** A host that stands already, wherever it is reached. */
export function hostAt(endpoint: ReachableEndpoint, capabilities: readonly Capability[] = []): ConfiguredBackend {
  const nothing = async () => {};
  return {
    name: 'ssh',
    words: ['ssh'],
    capabilities: () => capabilities,
    open: () => ({
      observations$: EMPTY,
      create: nothing,
      start: nothing,
      endpoint: async () => ({ endpoint, capabilities }),
      stop: nothing,
      destroy: nothing,
    }),
  };
}

/** Begins a run, follows it, and opens one testbed in it. @throws TestbedError where it does not become ready */
export async function openHost(backend: ConfiguredBackend, options: HostOptions = {}): Promise<OpenHost> {
  const { run, log, opening } = beginHost(backend, options);
  try {
    return { testbed: await opening, log, [Symbol.asyncDispose]: async () => void (await run.close()) };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/** The same for tests of what happens meanwhile. */
export function beginHost(
  backend: ConfiguredBackend,
  options: HostOptions = {},
): { run: Run; log: EventLog; opening: Promise<Testbed> } {
  const { deadlines, maxConnections, ...runOptions } = options;
  const run = createRun({ trace: null, ...runOptions });
  const log = new EventLog(run.events$);
  run.emit({
    type: 'run.started',
    testbed: null,
    from: 'runner',
    tests: false,
    trundle: 'test',
    sources: [],
    backend: [...backend.words],
  });
  const opening = run.openTestbed(backend, {
    ...(deadlines === undefined ? {} : { deadlines }),
    ...(maxConnections === undefined ? {} : { maxConnections }),
  });
  opening.catch(() => {});
  return { run, log, opening };
}

/** A real sshd, for the running test, and a testbed on it. */
export async function openSshd(config: readonly string[] = [], options: HostOptions = {}): Promise<OpenHost> {
  // Without rc files of ours: what they do at each login is none of the tests' business, and may take long.
  const sshd = forThisTest(await startSshServer([...config, sessionEnvironment()]));
  return forThisTest(await openHost(hostAt(endpointOf(sshd)), options));
}

/** Where a test's own sshd is, and how to log in to it. */
export function endpointOf(
  sshd: Awaited<ReturnType<typeof startSshServer>>,
  changes: Partial<ReachableEndpoint> = {},
): ReachableEndpoint {
  return {
    via: { kind: 'tcp', ...sshd.address },
    server: 'sshd',
    login: sshd.login,
    hostKeys: [sshd.hostKey],
    credentials: { privateKeys: [readFileSync(sshd.identity, 'utf8')] },
    ...changes,
  };
}

/** The servers that must behave alike. */
const SERVERS: readonly { name: string; needs: readonly Need[]; open: (login: string) => Promise<OpenHost> }[] = [
  {
    name: 'sshd',
    needs: ['sshd'],
    async open(login) {
      const sshd = await startSshServer();
      return alsoDisposing(await openHost(hostAt(endpointOf(sshd, { login }))), sshd);
    },
  },
  {
    name: 'the stand-in',
    needs: [],
    open: async (login) => openHost(await configureBackend(['null', '--user', login])),
  },
];

/** Opens a testbed of a server for an ordinary user with a plain /bin/sh, or for ourselves where none can be made. */
async function openForAnyone(open: (login: string) => Promise<OpenHost>): Promise<OpenHost> {
  if (!have('root') || !have('useradd')) return open(userInfo().username);
  const user = makeOrdinaryUser();
  return alsoDisposing(await open(user.login), user);
}

/** The same testbed; what it stands on goes away after it. */
export function alsoDisposing(host: OpenHost, thing: Disposable | AsyncDisposable): OpenHost {
  const { testbed, log } = host;
  return {
    testbed,
    log,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      if (Symbol.asyncDispose in thing) await thing[Symbol.asyncDispose]();
      else thing[Symbol.dispose]();
    },
  };
}

/** A directory of the running test's own, in which every user may look up what there is. */
export function publicPlace(): string {
  const directory = workplace();
  chmodSync(directory, 0o777);
  return directory;
}

/** A suite that runs against every kind of server, on one testbed for all its tests. */
export function onEveryServer(name: string, needs: readonly Need[], suite: (host: OpenHost) => void): void {
  for (const server of SERVERS) {
    describeWith([...server.needs, ...needs], `${name}, on ${server.name}`, () =>
      suite(sharedHost(() => openForAnyone(server.open))),
    );
  }
}

/** One testbed for all tests of the suite that calls this. */
export function sharedHost(open: () => Promise<OpenHost>): OpenHost {
  let host: OpenHost | undefined;
  const opened = () => {
    if (host === undefined) throw new Error('the testbed is not open yet');
    return host;
  };
  beforeAll(async () => {
    host = await open();
  });
  afterAll(() => host?.[Symbol.asyncDispose]());
  return {
    get testbed() {
      return opened().testbed;
    },
    get log() {
      return opened().log;
    },
    [Symbol.asyncDispose]: () => opened()[Symbol.asyncDispose](),
  };
}

import { NEVER } from 'rxjs';
import * as z from 'zod';
import { ownAccount } from '../../host/index.ts';
import { createStandIn, findAccount, hostEntry, type StandIn } from '../../standin/index.ts';
import { BackendError, type BackendHost, type BackendVerbs, defineBackend, type Location } from '../contract.ts';
import { debugOption } from '../debugOption.ts';

/**
 * Milliseconds that commands have for their own traps when the testbed is removed under them: what they leave here,
 * nobody else throws away.
 */
const GRACE = 5000;

const options = z.object({
  user: z.string().optional().describe('login name for commands that ask for none; your own by default'),
  normalUser: z.string().optional().describe('ordinary user to suggest for tests that do not need root'),
  ...debugOption,
});

/** The machine itself as a testbed, reached through an SSH server inside our own process. */
export const nullBackend = defineBackend({
  name: 'null',
  summary: 'this machine itself, without any isolation; needs no sshd',
  options,
  help: {
    short: { debug: 'd' },
    refused: {
      '--retain-tmp': 'the directory of the tests is removed. To look at it, open a shell: --shell or --shell-fail',
      '--fake-capability': 'a capability is a promise, and nothing is promised here. Give --ignore-restrictions',
    },
  },
  probe: () => Promise.resolve({ available: true, detail: 'the built-in SSH server stands in for sshd' }),
  capabilities: () => (isRoot() ? ['root-on-testbed'] : []),
  lasting: true,
  whyNotKept: () => 'it is this machine itself, which stays anyway',
  open: (chosen, host) => new NullTestbed(chosen, host),
});

class NullTestbed implements BackendVerbs {
  readonly observations$ = NEVER;
  readonly #options: z.output<typeof options>;
  readonly #host: BackendHost;
  #standIn: StandIn | null = null;

  constructor(chosen: z.output<typeof options>, host: BackendHost) {
    this.#options = chosen;
    this.#host = host;
  }

  async create(): Promise<void> {
    const entry = hostEntry();
    const { user, normalUser } = this.#options;
    for (const login of [user, normalUser]) {
      if (login === undefined || (await entry.find(login)) !== null) continue;
      const remedy = isRoot() ? `adduser ${login}` : 'run as root, or leave the option out';
      throw new BackendError('no-such-user', `nobody can log in here as ${login}`, { remedy });
    }
  }

  start(): Promise<void> {
    this.#standIn = createStandIn({ entry: hostEntry(), log: (message, fields) => this.#host.log(message, fields) });
    return Promise.resolve();
  }

  endpoint(): Promise<Location> {
    const standIn = this.#standIn;
    if (standIn === null)
      return Promise.reject(new BackendError('not-started', 'the stand-in SSH server is not running'));
    const own = ownAccount();
    const { user = own.name, normalUser } = this.#options;
    return Promise.resolve({
      endpoint: {
        via: { kind: 'memory', name: this.#host.testbed },
        server: 'stand-in',
        login: user,
        ...(normalUser === undefined ? {} : { normalUser }),
        hostKeys: [standIn.hostKey],
        credentials: { privateKeys: [standIn.clientKey] },
        connect: () => standIn.connect(),
        loginShell: (login) => (login === own.name ? own : findAccount(login))?.shell ?? null,
      },
      capabilities: isRoot() && user === 'root' ? ['root-on-testbed'] : [],
    });
  }

  async stop(): Promise<void> {
    await this.#standIn?.close(GRACE);
    this.#standIn = null;
  }

  destroy(): Promise<void> {
    return this.stop();
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

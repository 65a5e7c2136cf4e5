import type { Endpoint, ReachableEndpoint } from '../../../events/index.ts';
import { createStandIn, generateKeys } from '../../../standin/index.ts';
import { BackendError, type BackendHost } from '../../contract.ts';
import { askInside, type Enter, tellInside } from '../enter.ts';
import { searchPath } from '../programs.ts';
import { failureOfProgram } from '../runProgram.ts';
import { findInside, suggestUser, surveyed } from './accounts.ts';
import { guestEntry } from './guestEntry.ts';
import { parseSurvey, SURVEY, type Survey } from './prepare.ts';
import { installScript, type SshdFiles, sshdArgv } from './sshdConfig.ts';

/** Which SSH server shall answer: the image's own sshd, the one inside our process, or whichever there is. */
export const SESSION_KINDS = ['auto', 'login', 'stand-in'] as const;

/** How to open the way to a testbed. */
export interface SessionRequest {
  readonly enter: Enter;
  readonly kind: (typeof SESSION_KINDS)[number];
  readonly host: BackendHost;
  readonly signal: AbortSignal;
  /** Login name for commands that ask for none; root if absent, or the one account where only one uid exists. */
  readonly login?: string | undefined;
  /** Ordinary user to suggest; found in the testbed's passwd(5) if absent. */
  readonly normalUser?: string | undefined;
  /** The one uid that exists in the testbed; null where all do. */
  readonly onlyUid?: number | null;
  /** Where sshd's files go, inside the testbed; a directory in /run if absent. */
  readonly directory?: string;
}

/** The way to a testbed: an SSH endpoint, until it is closed. */
export interface GuestSession {
  readonly endpoint: ReachableEndpoint;
  /** Whether the login is root. */
  readonly root: boolean;
  /** Ends what runs in our own process for it. What runs in the testbed goes with the testbed. */
  close(): Promise<void>;
}

/**
 * Opens the way to a testbed that shares the host's kernel. With an sshd in the image the endpoint is `sshd -i` through
 * `enter`, with keys made for this run; without one the SSH server in our own process stands in. No network is used.
 * Call it from the verb `endpoint()`, after each start and reset, and close what it gave before the next.
 * @throws BackendError `no-sshd`, `sshd-refuses`, `no-such-user`, `no-shell`, `wrong-architecture`
 */
export async function openSession(request: SessionRequest): Promise<GuestSession> {
  const { enter, kind, host, signal, onlyUid = null } = request;
  const first = request.login ?? 'root';
  const result = await askInside(enter, SURVEY, { signal, args: [first] });
  if (result.status !== 0)
    throw failureOfProgram(enter.argv[0] ?? '', result, { code: 'enter-failed', doing: 'entering the testbed' });
  const survey = parseSurvey(result.stdout);
  if (kind === 'login' && survey.sshd === null) {
    throw new BackendError('no-sshd', 'the image has no sshd, and --session=login asks for one', {
      remedy: 'install openssh-server in the image, or use --session=stand-in',
    });
  }
  const users = await usersOf(request, survey);
  const server = kind === 'stand-in' || survey.sshd === null ? 'stand-in' : 'sshd';
  host.log('session', { server, ...users });
  if (server === 'sshd') return loginSession(request, survey, survey.sshd ?? 'sshd', users);
  const standIn = createStandIn({
    entry: guestEntry(enter, { setpriv: survey.setpriv, onlyUid }, surveyed(first, survey)),
    log: (message, fields) => host.log(message, fields),
  });
  return {
    root: users.login === 'root' && survey.root,
    endpoint: {
      via: { kind: 'memory', name: host.testbed },
      server,
      ...users,
      hostKeys: [standIn.hostKey],
      credentials: { privateKeys: [standIn.clientKey] },
      connect: () => standIn.connect(),
    },
    close: () => standIn.close(),
  };
}

type Users = Pick<Endpoint, 'login' | 'normalUser'>;

async function usersOf(
  { enter, login, normalUser, signal, onlyUid = null }: SessionRequest,
  { passwd }: Survey,
): Promise<Users> {
  for (const name of [login, normalUser]) {
    if (name === undefined || (await findInside(enter, name, signal)) !== null) continue;
    throw new BackendError('no-such-user', `the testbed has no account ${name}`, {
      remedy: `adduser ${name} in the image, or leave the option out`,
    });
  }
  const suggested = normalUser ?? suggestUser(passwd, onlyUid);
  if (login === undefined && onlyUid !== null) {
    if (suggested !== null) return { login: suggested, normalUser: suggested };
    throw new BackendError('no-such-user', `the testbed has no account with the uid ${onlyUid}`, {
      remedy: `adduser --uid ${onlyUid} ... in the image, or pass --login`,
    });
  }
  return { login: login ?? 'root', ...(suggested === null ? {} : { normalUser: suggested }) };
}

async function loginSession(
  request: SessionRequest,
  survey: Survey,
  sshd: string,
  users: Users,
): Promise<GuestSession> {
  const { enter, host, signal, onlyUid = null } = request;
  const keys = { host: generateKeys(), client: generateKeys() };
  const files: SshdFiles = {
    directory: request.directory ?? `/run/trundle-${host.run}-${host.testbed}`,
    hostKey: keys.host.privateKey,
    authorizedKey: keys.client.publicKey,
    sshd,
    pam: survey.pam && onlyUid === null,
  };
  await tellInside(enter, installScript(files), {
    signal,
    code: 'sshd-refuses',
    doing: "starting the image's sshd",
    remedy: 'mend openssh-server in the image, or use --session=stand-in',
  });
  const environment = enter.environment === 'passed' ? ['env', '-i', `PATH=${searchPath('')}`] : [];
  return {
    root: users.login === 'root' && survey.root,
    endpoint: {
      via: { kind: 'process', argv: [...environment, ...enter.argv, ...sshdArgv(files)] },
      server: 'sshd',
      ...users,
      hostKeys: [keys.host.fingerprint],
      credentials: { privateKeys: [keys.client.privateKey] },
    },
    close: () => Promise.resolve(),
  };
}

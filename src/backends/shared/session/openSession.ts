import type { Endpoint, ReachableEndpoint } from '../../../events/index.ts';
import { generateKeys } from '../../../standin/index.ts';
import { BackendError, type BackendHost } from '../../contract.ts';
import { askInside, type Enter } from '../enter.ts';
import { searchPath } from '../programs.ts';
import { failureOfProgram } from '../runProgram.ts';
import { findInside, suggestUser, surveyed } from './accounts.ts';
import type { EntryShell } from './EntryShell.ts';
import { type Entered, enterSession, hear, type WaitingServer } from './enterSession.ts';
import { guestEntry } from './guestEntry.ts';
import { parseSurvey, type Survey, surveyScript } from './prepare.ts';
import { Substitute } from './Substitute.ts';
import { checkScript, installScript, type SshdFiles, sshdArgv } from './sshdConfig.ts';

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

/** What can be decided of the way to a testbed before there is one. */
export interface SessionPlan {
  /** Who will log in first. */
  readonly first: string;
  /** What a shell inside the testbed is to run, with {@link first} as its argument. It holds secrets. */
  readonly script: string;
  /** What the image's sshd is given; null where it is not wanted. */
  readonly login: { readonly files: SshdFiles; readonly keys: LoginKeys } | null;
}

/** A plan that a shell inside the testbed is carrying out. */
export interface BegunSession {
  readonly plan: SessionPlan;
  readonly shell: EntryShell;
}

/** Makes keys for a session, and the script that opens the way to it. */
export function planSession(request: Omit<SessionRequest, 'enter' | 'signal'>): SessionPlan {
  const login = request.kind === 'stand-in' ? null : loginFiles(request);
  const script = surveyScript(login === null ? null : installScript(login.files));
  return { first: request.login ?? 'root', script, login };
}

/**
 * Opens the way to a testbed that shares the host's kernel. With an sshd in the image the endpoint is `sshd -i` through
 * `enter`, with keys made for this run; without one the SSH server in our own process stands in. No network is used.
 * Call it from the verb `endpoint()`, after each start and reset, and close what it gave before the next.
 * @param begun the first way in, where it was gone before
 * @throws BackendError `no-sshd`, `sshd-refuses`, `read-only`, `no-such-user`, `no-shell`, `wrong-architecture`
 */
export async function openSession(request: SessionRequest, begun: BegunSession | null = null): Promise<GuestSession> {
  const { enter, kind, signal } = request;
  const { login, first, script } = begun?.plan ?? planSession(request);
  let asked: Substitute | null = null;
  let entered: Entered | null = null;
  try {
    const entering =
      begun === null ? enterSession(enter, script, { signal, args: [first] }) : hear(begun.shell, signal);
    entering.catch(() => {});
    // To start a program takes this process long: the survey, which is waited for, comes first.
    if (kind === 'stand-in') asked = new Substitute(enter, request.host);
    entered = await entering;
    const { result } = entered;
    const survey = parseSurvey(result.stdout);
    if (survey === null || (result.status !== 0 && (login === null || survey.sshd === null)))
      throw failureOfProgram(enter.argv[0] ?? '', result, { code: 'enter-failed', doing: 'entering the testbed' });
    if (kind === 'login' && survey.sshd === null) {
      throw new BackendError('no-sshd', 'the image has no sshd, and --session=login asks for one', {
        remedy: 'install openssh-server in the image, or use --session=stand-in',
      });
    }
    const users = await usersOf(request, survey);
    const asLogin = login !== null && survey.sshd !== null;
    request.host.log('session', { server: asLogin ? 'sshd' : 'stand-in', ...users });
    if (!asLogin) return standInSession(request, asked ?? new Substitute(enter, request.host), survey, users);
    const { directory } = login.files;
    if (entered.server === null) await throwIfRefused(enter, entered, checkScript(survey.sshd, directory), signal);
    return loginSession(enter, survey, users, sshdArgv(survey.sshd, directory), login.keys, entered.server);
  } catch (error) {
    await Promise.all([entered?.server?.close(), asked?.standIn.close()]);
    throw error;
  }
}

/**
 * Tells why the image's sshd has ended without a greeting, where its configuration or itself is to blame for it; what
 * else there may be, who dials it is told. @throws BackendError `sshd-refuses`, `read-only`
 */
async function throwIfRefused(enter: Enter, entered: Entered, check: string, signal: AbortSignal): Promise<void> {
  const result = entered.served ? await askInside(enter, check, { signal }) : entered.result;
  if (result.status === 0) return;
  if (/Read-only file system/.test(result.stderr))
    throw new BackendError('read-only', `sshd's files go to /run, and the testbed's is read-only`, {
      remedy: 'have a tmpfs there (docker: --tmpfs=/run after the image), or use --session=stand-in',
    });
  throw failureOfProgram(enter.argv[0] ?? '', result, {
    code: 'sshd-refuses',
    doing: "starting the image's sshd",
    remedy: 'mend openssh-server in the image, or use --session=stand-in',
  });
}

function standInSession(
  { enter, host, login, onlyUid = null }: SessionRequest,
  substitute: Substitute,
  survey: Survey,
  users: Users,
): GuestSession {
  const { standIn } = substitute;
  const tools = { setpriv: survey.setpriv, perl: survey.perl, onlyUid };
  substitute.serve(guestEntry(enter, tools, surveyed(login ?? 'root', survey)));
  return {
    root: users.login === 'root' && survey.root,
    endpoint: {
      via: { kind: 'memory', name: host.testbed },
      server: 'stand-in',
      ...users,
      hostKeys: [standIn.hostKey],
      credentials: { privateKeys: [standIn.clientKey] },
      connect: () => standIn.connect(),
      loginShell: (name) => surveyed(name, survey)?.shell ?? null,
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

/** Where sshd's files go, where nothing else is asked for. */
export function sshdDirectory({ run, testbed }: BackendHost): string {
  return `/run/trundle-${run}-${testbed}`;
}

interface LoginKeys {
  readonly host: ReturnType<typeof generateKeys>;
  readonly client: ReturnType<typeof generateKeys>;
}

/** What the image's sshd is given, with keys made for this run. */
function loginFiles({ host, directory, onlyUid = null }: Omit<SessionRequest, 'enter' | 'signal'>): {
  files: SshdFiles;
  keys: LoginKeys;
} {
  const keys = { host: generateKeys(), client: generateKeys() };
  return {
    keys,
    files: {
      directory: directory ?? sshdDirectory(host),
      hostKey: keys.host.privateKey,
      authorizedKey: keys.client.publicKey,
      pam: onlyUid === null,
    },
  };
}

function loginSession(
  enter: Enter,
  survey: Survey,
  users: Users,
  sshd: readonly string[],
  keys: LoginKeys,
  waiting: WaitingServer | null,
): GuestSession {
  const environment = enter.environment === 'passed' ? ['env', '-i', `PATH=${searchPath('')}`] : [];
  return {
    root: users.login === 'root' && survey.root,
    endpoint: {
      via: { kind: 'process', argv: [...environment, ...enter.argv, ...sshd] },
      server: 'sshd',
      ...users,
      hostKeys: [keys.host.fingerprint],
      credentials: { privateKeys: [keys.client.privateKey] },
      loginShell: (name) => surveyed(name, survey)?.shell ?? null,
      // The first client gets the one that the way in has become.
      ...(waiting === null ? {} : { running: () => waiting.take() }),
    },
    close: () => waiting?.close() ?? Promise.resolve(),
  };
}

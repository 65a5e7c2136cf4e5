import { Subject } from 'rxjs';
import type * as z from 'zod';
import { BackendError, type BackendHost, type BackendVerbs, type Location, type Observation } from '../contract.ts';
import { askInside, type Enter, tellInside } from '../shared/enter.ts';
import { quote } from '../shared/quote.ts';
import { type GuestSession, openSession } from '../shared/session/openSession.ts';
import { type ChrootConfig, isPermanent, mayBeRoot, readChroot, schrootCapabilities } from './chroots.ts';
import type { schrootOptions } from './options.ts';
import { Session } from './Session.ts';
import { IN_NAMESPACE, SessionInit } from './SessionInit.ts';

/** What an image must have for a pid namespace; run as root in the session. */
const CAN_NEST = 'command -v unshare && command -v nsenter && command -v mount';

/**
 * Makes the account that sshd locks itself up as, where this machine's passwd(5) was put over the image's and has none.
 * Run as root in the session.
 */
const SSHD_ACCOUNT = `PATH=$PATH:/usr/sbin:/sbin
command -v sshd >/dev/null || exit 0
while IFS=: read -r name rest; do [ "$name" != sshd ] || exit 0; done </etc/passwd
uid=899
while id "$uid" >/dev/null 2>&1; do uid=$((uid - 1)); done
echo "sshd:x:$uid:65534::/run/sshd:/usr/sbin/nologin" >>/etc/passwd
echo made`;

/** The verbs of a testbed that is a session of schroot(1). */
export class SchrootTestbed implements BackendVerbs {
  readonly observations$ = new Subject<Observation>();
  readonly #options: z.output<typeof schrootOptions>;
  readonly #host: BackendHost;
  readonly #session: Session;
  #config: ChrootConfig = new Map();
  #root = false;
  #init: SessionInit | null = null;
  #enter: Enter | null = null;
  #way: GuestSession | null = null;
  /** What sshd's files are in, where it may be a directory of this machine; struck out once it is gone. */
  #shared: { path: string; struck: () => void } | null = null;

  constructor(options: z.output<typeof schrootOptions>, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    const id = options.sessionId ?? `trundle-${host.run}-${host.testbed}`;
    this.#session = new Session(options.schroot, id, host);
  }

  async create(signal: AbortSignal): Promise<void> {
    const { schroot } = this.#options;
    this.#config = readChroot(schroot);
    if (isPermanent(this.#config)) {
      throw new BackendError('no-sessions', `what tests write to the chroot ${schroot} would stay in it`, {
        remedy: `set union-type=overlay in [${schroot}] in /etc/schroot/chroot.d/, or use the chroot backend`,
      });
    }
    this.#root = mayBeRoot(this.#config);
    await this.#session.begin(signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    const user = this.#root ? ['--user', 'root'] : [];
    const run = ['schroot', '--run-session', '--chroot', `session:${this.#session.id}`, '--directory', '/', ...user];
    const plain: Enter = { argv: [...run, '--'], environment: 'dropped' };
    this.#enter = plain;
    const { status, stderr } = await askInside(plain, CAN_NEST, { signal });
    if (stderr.includes('E: ') && status !== 0) await this.#mustEnter(plain, signal);
    if (!this.#root) return;
    await this.#mendAccounts(plain, signal);
    if (status !== 0) {
      // Then the end of the session is the end of its processes: schroot looks for them.
      this.#host.log('the image has no unshare, nsenter and mount: no pid namespace');
      return;
    }
    this.#init = await SessionInit.start(plain.argv, {
      host: this.#host,
      signal,
      observe: (seen) => this.observations$.next(seen),
    });
    this.#enter = { argv: [...plain.argv, ...IN_NAMESPACE], environment: 'dropped' };
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    if (this.#enter === null) throw new BackendError('not-started', 'the session has not been begun');
    await this.#way?.close();
    this.#way = null;
    const { session: kind, login, normalUser } = this.#options;
    this.#way = await openSession({
      enter: this.#enter,
      kind,
      host: this.#host,
      signal,
      login,
      normalUser,
      onlyUid: this.#root ? null : (process.getuid?.() ?? 0),
      directory: this.#directory(),
    });
    return { endpoint: this.#way.endpoint, capabilities: schrootCapabilities(this.#root, login) };
  }

  async reset(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#session.end(signal);
    await this.#session.begin(signal);
    await this.start(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    const closed = this.#way?.close();
    this.#way = null;
    await this.#sweep(signal);
    this.#enter = null;
    const init = this.#init;
    this.#init = null;
    await init?.stop(signal);
    await closed;
  }

  async destroy(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#session.end(signal);
  }

  /** Entering works, or it is said why it does not. */
  async #mustEnter(enter: Enter, signal: AbortSignal): Promise<void> {
    const doing = 'entering the session';
    await tellInside(enter, 'exit 0', { signal, code: 'enter-failed', doing });
  }

  /** Most profiles put accounts of this machine over the image's (setup.nssdatabases): tests see those. */
  async #mendAccounts(enter: Enter, signal: AbortSignal): Promise<void> {
    const databases = this.#config.get('setup.nssdatabases') ?? '';
    if (databases === '') return;
    const hint = `setup.nssdatabases= in [${this.#options.schroot}] keeps the image's`;
    this.#say(`schroot copies system databases of this machine into the session (${databases}); ${hint}`);
    const { stdout } = await askInside(enter, SSHD_ACCOUNT, { signal });
    if (stdout.trim() === 'made') this.#say('this machine has no account sshd: it is made in the session');
  }

  /**
   * A directory for sshd that the user may write to and that is the session's own. An ordinary user has only /tmp,
   * which may be this machine's.
   */
  #directory(): string {
    const name = `${this.#host.run}-${this.#host.testbed}`;
    if (this.#root) return `/var/lib/trundle-${name}`;
    const path = `/tmp/trundle-sshd-${name}`;
    this.#shared ??= { path, struck: this.#host.acquire({ kind: 'directory', name: path }) };
    return path;
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const shared = this.#shared;
    if (shared === null || this.#enter === null) return;
    await askInside(this.#enter, `rm -rf ${quote(shared.path)}`, { signal });
    this.#shared = null;
    shared.struck();
  }

  #say(text: string): void {
    this.#host.console(Buffer.from(`trundle: ${text}\n`));
  }
}

import { Subject } from 'rxjs';
import type * as z from 'zod';
import {
  BackendError,
  type BackendHost,
  type BackendVerbs,
  type KeptPlace,
  type Location,
  type Observation,
} from '../contract.ts';
import { askInside, type Enter, shellInside, tellInside } from '../shared/enter.ts';
import { quote } from '../shared/quote.ts';
import { type GuestSession, openSession, planSession } from '../shared/session/openSession.ts';
import { Ahead } from './Ahead.ts';
import { type ChrootConfig, isPermanent, mayBeRoot, readChroot, schrootCapabilities } from './chroots.ts';
import { goesAlone, Inside } from './Inside.ts';
import { unmountable } from './mounts.ts';
import type { schrootOptions } from './options.ts';
import { type Early, Session } from './Session.ts';
import { hasUsualScripts, whatIsLeft } from './scripts.ts';
import { wayOfSchroot } from './ways.ts';

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
  #inside: Ahead<Inside> | null = null;
  /** Where it is mounted, if that concerns us and all that runs in it ends with its init. */
  #location: string | null = null;
  /** The way that nobody has asked for yet. */
  #opening: Ahead<GuestSession> | null = null;
  #guest: GuestSession | null = null;
  /** What sshd's files are in, where it may be a directory of this machine; struck out once it is gone. */
  #shared: { path: string; struck: () => void } | null = null;

  constructor(options: z.output<typeof schrootOptions>, host: BackendHost) {
    this.#options = options;
    this.#host = host;
    this.#session = new Session(options.schroot, options.sessionId, host);
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
    await this.#begin(signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#inside ??= this.#goIn(true);
    const { location, hasInit, enter } = await this.#inside.wait(signal);
    this.#location = hasInit ? location : null;
    if (this.#root) await this.#mendAccounts(enter, signal);
  }

  async endpoint(signal: AbortSignal): Promise<Location> {
    const inside = await this.#inside?.wait(signal);
    if (inside === undefined) throw new BackendError('not-started', 'the session has not been begun');
    await this.#guest?.close();
    this.#guest = null;
    const opening = this.#opening ?? new Ahead((ahead) => this.#open(inside, ahead));
    this.#opening = null;
    this.#guest = await opening.wait(signal);
    const { endpoint } = this.#guest;
    return { endpoint, capabilities: schrootCapabilities(this.#root, this.#options.login) };
  }

  async reset(signal: AbortSignal): Promise<void> {
    await this.destroy(signal);
    await this.#begin(signal);
    await this.start(signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    // What runs in the session is gone, and what is mounted in it, by the time schroot comes to that.
    if (this.#location !== null && hasUsualScripts()) this.#session.beginEnd();
    await this.#leave(signal);
  }

  async destroy(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.#session.end(signal, this.#location === null ? [] : unmountable(this.#location));
    this.#location = null;
  }

  /** Its init ends with us, and with it what runs in the session; the files stay, and the ways that schroot has to them. */
  async keep(signal: AbortSignal): Promise<KeptPlace> {
    const hadInit = (await this.#inside?.wait(signal))?.hasInit === true;
    await this.#leave(signal);
    const { id } = this.#session;
    const plain = wayOfSchroot(id, this.#root, false).enter;
    // That of the namespace which has just ended tells of nobody; below it is the one that schroot mounted.
    if (hadInit)
      await tellInside(plain, 'exec umount /proc', { signal, code: 'keep-failed', doing: 'unmounting the old /proc' });
    const shell = await shellInside(plain, signal);
    const user = this.#root ? ['--user', 'root'] : [];
    const run = ['schroot', '--quiet', '--run-session', '--chroot', `session:${id}`, '--directory', '/', ...user];
    return { enter: [...run, '--', shell, '-l'] };
  }

  /** Begins the session. */
  #begin(signal: AbortSignal): Promise<void> {
    const left = whatIsLeft(this.#config);
    // What a tarball holds is decompressed by a process beside tar(1).
    const oneByOne = left !== null && this.#config.get('type') !== 'file';
    const early = this.#root && goesAlone(this.#config) && left !== null ? this.#early(left, signal) : undefined;
    return this.#session.begin(signal, { oneByOne, early });
  }

  /**
   * Once its files are mounted, and what schroot has yet to do cannot matter to it, we go in and open the way beside that:
   * schroot takes as long for its last scripts as we for this.
   */
  #early(left: 'nothing' | 'files', signal: AbortSignal): Early {
    return {
      mounted: () => {
        const inside = this.#goIn(left === 'nothing');
        this.#inside = inside;
        if (left !== 'nothing') return;
        this.#opening = new Ahead(async (ahead) => {
          const guest = await this.#open(await inside.wait(ahead), ahead);
          if (!ahead.aborted) this.#host.anticipate(guest.endpoint);
          return guest;
        });
      },
      failed: () => this.#leave(signal),
    };
  }

  /** Ends what runs in the session. */
  async #leave(signal: AbortSignal): Promise<void> {
    const guest = this.#guest ?? (await this.#opening?.cancel());
    const closed = guest?.close();
    this.#guest = null;
    this.#opening = null;
    const inside = await this.#inside?.cancel();
    if (inside !== null && inside !== undefined) {
      await this.#sweep(inside.enter, signal);
      await inside.leave(signal);
    }
    this.#inside = null;
    await closed;
  }

  /** @param whole whether its files are as sessions will see them */
  #goIn(whole: boolean): Ahead<Inside> {
    const mended = (this.#config.get('setup.nssdatabases') ?? '') !== '';
    const options = {
      id: this.#session.id,
      config: this.#config,
      root: this.#root,
      host: this.#host,
      observe: (seen: Observation) => this.observations$.next(seen),
      plan: whole && !mended ? () => planSession(this.#sessionOptions()) : null,
    };
    return new Ahead((signal) => Inside.enter(options, signal));
  }

  #open(inside: Inside, signal: AbortSignal): Promise<GuestSession> {
    return openSession({ ...this.#sessionOptions(), enter: inside.enter, signal }, inside.takeBegun());
  }

  #sessionOptions() {
    const { session: kind, login, normalUser } = this.#options;
    const onlyUid = this.#root ? null : (process.getuid?.() ?? 0);
    return { kind, host: this.#host, login, normalUser, onlyUid, directory: this.#directory() };
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

  async #sweep(enter: Enter, signal: AbortSignal): Promise<void> {
    const shared = this.#shared;
    if (shared === null) return;
    await askInside(enter, `rm -rf ${quote(shared.path)}`, { signal });
    this.#shared = null;
    shared.struck();
  }

  #say(text: string): void {
    this.#host.console(Buffer.from(`trundle: ${text}\n`));
  }
}

import { BackendError, type BackendHost } from '../contract.ts';
import { findProgram } from '../shared/programs.ts';
import { failureOfProgram, lastLine, NO_ROOM, type ProgramResult, runProgram } from '../shared/runProgram.ts';
import { Ahead } from './Ahead.ts';
import { howToAdmit } from './chroots.ts';
import { checkMark, checkUnknown, markOf } from './marks.ts';
import { onOneProcessor } from './onOneProcessor.ts';
import { isMounted, withoutNeighbours, withoutNews } from './scripts.ts';

/**
 * Ends a session that may be there or not; by force where something in it resists. Each schroot(1) takes long. A session
 * that was begun verbosely is verbose for life, unless schroot is told otherwise.
 */
const END = [
  'schroot --quiet --end-session --chroot "session:$1" && exit 0',
  'schroot --list --all-sessions | grep -qxF "session:$1" || exit 0',
  'exec schroot --quiet --end-session --force --chroot "session:$1"',
].join('; ');

const MOUNTED = 'mounted';

/** What is done in a session while schroot(1) has still to run its last scripts. */
export interface Early {
  /** Its files are mounted. */
  mounted(): void;
  /** It could not be begun, and will be ended. */
  failed(): Promise<void>;
}

/** How a session is begun. */
interface Beginning {
  /** Whether schroot's scripts do all they do one after another, and start nobody who outlives them. */
  readonly oneByOne: boolean;
  /** Told when its files are mounted. */
  readonly early?: Early | undefined;
}

/** A session of a chroot, written to the trace before it is begun. */
export class Session {
  readonly id: string;
  readonly #chroot: string;
  readonly #host: BackendHost;
  readonly #named: boolean;
  readonly #release: readonly string[];
  /** What comes before its words where schroot(1) runs its scripts. */
  #prefix: readonly string[] = [];
  #struck: (() => void) | null = null;
  /** Whether the trace tells the session from others of its name. */
  #told = false;
  #ending: Ahead<ProgramResult> | null = null;

  /** @param asked the name that was asked for; made from the run if absent */
  constructor(chroot: string, asked: string | undefined, host: BackendHost) {
    const id = asked ?? `trundle-${host.run}-${host.testbed}`;
    this.id = id;
    this.#named = asked !== undefined;
    this.#chroot = chroot;
    this.#host = host;
    this.#release = ['sh', '-c', END, 'sh', id];
  }

  /**
   * Begins it.
   * @throws BackendError `name-in-use`, `no-permission`, `image-missing`, `image-damaged`, `ENOSPC`, `setup-failed`
   */
  async begin(signal: AbortSignal, { oneByOne, early }: Beginning): Promise<void> {
    const { id } = this;
    // That there is no schroot any more is to be told as such, not in the words of whoever should have started it.
    this.#prefix = oneByOne && findProgram('schroot') !== null ? onOneProcessor(id) : [];
    // Somebody else's is not ours to end; none has a name that was made from the run.
    if (this.#named) {
      const { stdout } = await runProgram(['schroot', '--list', '--all-sessions'], { signal });
      if (stdout.split('\n').includes(`session:${id}`)) throw nameInUse(id);
    }
    this.#struck = this.#acquire(this.#named ? checkUnknown(id) : undefined);
    const begun = await this.#setUp(signal, early);
    if (begun.status === 0) return this.#tellApart();
    await early?.failed();
    if (/File exists/.test(begun.stderr) && /session file/.test(begun.stderr)) {
      // Somebody took the name between our look and our try: it is theirs.
      this.#forget();
      throw nameInUse(id);
    }
    // What schroot could not set up it leaves as a session.
    await this.end(signal);
    throw explainBegin(this.#chroot, begun);
  }

  async #setUp(signal: AbortSignal, early: Early | undefined): Promise<ProgramResult> {
    const schroot = [...this.#prefix, 'schroot'];
    const begin = ['--begin-session', '--chroot', this.#chroot, '--session-name', this.id];
    if (early === undefined) return await runProgram([...schroot, ...begin], { signal });
    let said = '';
    const onStderr = (chunk: Buffer) => {
      if (said === MOUNTED) return;
      said += chunk.toString();
      if (!isMounted(said)) return;
      said = MOUNTED;
      this.#tellApart();
      early.mounted();
    };
    const begun = await runProgram([...schroot, '--verbose', ...begin], { signal, onStderr });
    return { ...begun, stderr: withoutNews(begun.stderr) };
  }

  #acquire(check: string[] | undefined): () => void {
    const resource = { kind: 'session' as const, name: this.id, release: [...this.#release] };
    return this.#host.acquire(check === undefined ? resource : { ...resource, check });
  }

  /** Writes the session to the trace anew, now that it can be told from another that gets its name later. */
  #tellApart(): void {
    if (!this.#named || this.#told || this.#struck === null) return;
    const mark = markOf(this.id);
    // Then reap leaves it, and says so.
    if (mark === null) return;
    const before = this.#struck;
    this.#struck = this.#acquire(checkMark(this.id, mark));
    this.#told = true;
    before();
  }

  /** Has schroot(1) begin to end it, which takes it a while to come to what runs in it and is mounted in it. */
  beginEnd(): void {
    if (this.#struck === null) return;
    const argv = [...this.#prefix, 'schroot', '--quiet', '--end-session', '--chroot', `session:${this.id}`];
    this.#ending ??= new Ahead((signal) => runProgram(argv, { signal }));
  }

  /**
   * Ends it with all that runs in it, however far it came, and strikes it out.
   * @param mounts what is unmounted at once, where its end has been begun; schroot would do it one by one, and sees to
   *   what resists
   * @throws BackendError `left-behind`
   */
  async end(signal: AbortSignal, mounts: readonly string[] = []): Promise<void> {
    if (this.#struck === null) return;
    const ending = this.#ending;
    this.#ending = null;
    if (ending !== null && mounts.length > 0)
      await runProgram(['umount', '-n', '--', ...mounts], { signal }).catch(() => {});
    const plain = await ending?.wait(signal);
    const result = plain?.status === 0 ? plain : await runProgram(this.#release, { signal });
    if (result.status !== 0) {
      const remedy = `look who uses it (fuser -vm "$(schroot --location --chroot session:${this.id})"), then schroot --end-session --force --chroot session:${this.id}`;
      throw failureOfProgram('schroot', result, {
        code: 'left-behind',
        doing: `ending the session ${this.id}`,
        remedy,
      });
    }
    this.#forget();
  }

  #forget(): void {
    this.#struck?.();
    this.#struck = null;
    this.#told = false;
  }
}

function nameInUse(id: string): BackendError {
  return new BackendError('name-in-use', `there is a session ${id} already`, {
    remedy: `schroot --end-session --chroot session:${id}, or another --session-id`,
  });
}

/** Why schroot(1) began no session. Pure. */
export function explainBegin(chroot: string, result: ProgramResult): BackendError {
  const stderr = withoutNeighbours(result.stderr);
  const doing = `beginning a session of ${chroot}`;
  const errors = stderr.split('\n').filter((line) => /error|cannot|E: \d\d\w+:|tar:/i.test(line));
  const words = (errors[0] ?? lastLine(stderr)).trim();
  if (/Access not authori[sz]ed|do not have permission|No controlling terminal/.test(stderr))
    return new BackendError('no-permission', `${doing}: schroot does not let this user in`, {
      remedy: howToAdmit(chroot, 'yourself'),
    });
  if (NO_ROOM.test(stderr)) return failureOfProgram('schroot', result, { code: 'ENOSPC', doing });
  if (/tar: |Unexpected EOF|not in gzip format|unexpected end of file/i.test(stderr))
    return new BackendError('image-damaged', `${doing}: its tarball cannot be unpacked: ${words}`, {
      remedy: 'tar -tf shows where it is damaged; make or fetch it anew',
    });
  // A script that comes after the mounts misses something else.
  const late = /^E: (?:1[1-9]|[2-9]\d)\w+:/m.test(stderr);
  if (!late && /does not exist|Failed to stat|No such file/i.test(stderr))
    return new BackendError('image-missing', `${doing}: ${words}`, {
      remedy: `schroot --config --chroot ${chroot} names the file or directory: make it, or mend its section in /etc/schroot`,
    });
  const telling = errors.find((line) => /^E: \d\d\w+:/.test(line)) ?? stderr;
  return failureOfProgram(
    'schroot',
    { ...result, stderr: telling },
    {
      code: 'setup-failed',
      doing,
      remedy: `schroot --verbose --begin-session --chroot ${chroot} shows more`,
    },
  );
}

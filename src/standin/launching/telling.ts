import { pipeline, Transform, type TransformCallback } from 'node:stream';
import { ROOT_PATH } from '../accounts.ts';
import type { End, Launched } from './contract.ts';
import { endOf } from './endOf.ts';

/**
 * Runs "$@" in a session of its own and says at its end how it ended, as waitpid(2) tells it. What it says is one
 * write, which nothing can come between. Ways in leave root's pipes, lxc-attach(1) even shut: whoever "$@" becomes is to
 * open them by name, as /dev/stdout.
 */
const BY_PERL = String.raw`my $word = shift;
for (\*STDIN, \*STDOUT, \*STDERR) { chmod 0666, $_ if -p $_ }
my $pid = fork;
if (!defined $pid) { syswrite STDERR, "trundle: fork: $!\n$word 32256\n"; exit 126 }
if ($pid == 0) {
  eval { require POSIX; POSIX::setsid() };
  exec { $ARGV[0] } @ARGV or syswrite STDERR, "trundle: $ARGV[0]: $!\n";
  exit 127;
}
$SIG{$_} = 'IGNORE' for qw(HUP INT QUIT TERM PIPE);
close STDIN;
close STDOUT;
waitpid $pid, 0;
syswrite STDERR, "$word $?\n";
exit($? & 127 ? 128 + ($? & 127) : $? >> 8);`;

/** The same by a shell, which cannot tell a signal from the exit status 128 and its number. */
const BY_SHELL = `w=$1; shift; exec 3>&2 2>/dev/null
( exec "$@" 2>&3 3>&- ); s=$?
printf '%s %s\\n' "$w" $((s * 256)) >&3; exit $s`;

/**
 * What is to stand before a command inside a testbed, so that its end is told by the command's side of the way in. Pure.
 * @param perl a perl(1) of the testbed; null where it has none
 * @param word what nobody else writes to stderr
 */
export function teller(perl: string | null, word: string): string[] {
  if (perl !== null) return ['env', '-i', `PATH=${ROOT_PATH}`, perl, '-e', BY_PERL, word];
  return ['/bin/sh', '-c', BY_SHELL, 'sh', word];
}

/**
 * A process whose end is told by a {@link teller}. Where that says nothing and a daemon stands between, the end is
 * `untold`, unless the process says that nothing was started; where none does, it is the process's own: podman loses
 * what is said last while stdin is written to.
 */
export function toldBy(word: string, launched: Launched, daemon: boolean): Launched {
  const stderr = new EndReader(word);
  // Each of the two is destroyed with the other; the reader's own error says nothing more.
  pipeline(launched.stderr, stderr, () => {});
  const ended = launched.ended.then(
    async (end): Promise<End> =>
      (await stderr.told) ?? (daemon && !saysNotStarted(end) ? { ...end, untold: true } : end),
  );
  ended.catch(() => {});
  return { ...launched, stderr, ended };
}

/** Whether a client tells that it found no program, or might not execute it: docker and lxd say so as shells do. */
function saysNotStarted({ status }: End): boolean {
  return status === 126 || status === 127;
}

/** Takes the word and what it says out of a stream. */
class EndReader extends Transform {
  /** Resolves with null where the stream is over without it. */
  readonly told: Promise<End | null>;
  readonly #word: Buffer;
  #tell: (end: End | null) => void = () => {};
  #held = Buffer.alloc(0);

  constructor(word: string) {
    super();
    this.#word = Buffer.from(`${word} `);
    this.told = new Promise((resolve) => {
      this.#tell = resolve;
    });
    this.once('close', () => this.#tell(null));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const bytes = Buffer.concat([this.#held, chunk]);
    const at = bytes.indexOf(this.#word);
    const end = at === -1 ? -1 : bytes.indexOf('\n', at);
    if (end !== -1) {
      const status = Number(bytes.subarray(at + this.#word.length, end).toString('latin1'));
      this.#held = Buffer.alloc(0);
      this.push(bytes.subarray(0, at));
      this.push(bytes.subarray(end + 1));
      this.#tell(endOf(status));
    } else {
      const from = at === -1 ? this.#beginningIn(bytes) : at;
      this.#held = bytes.subarray(from);
      this.push(bytes.subarray(0, from));
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.push(this.#held);
    this.#tell(null);
    done();
  }

  /** Where the word may have begun at the end of some bytes; their length where it has not. */
  #beginningIn(bytes: Buffer): number {
    const word = this.#word;
    const first = Math.max(0, bytes.length - word.length + 1);
    for (let at = bytes.indexOf(word[0] as number, first); at !== -1; at = bytes.indexOf(word[0] as number, at + 1))
      if (bytes.subarray(at).equals(word.subarray(0, bytes.length - at))) return at;
    return bytes.length;
  }
}

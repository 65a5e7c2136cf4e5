import { pipeline, Transform, type TransformCallback } from 'node:stream';
import type { Clock } from '../../events/index.ts';
import { ROOT_PATH } from '../accounts.ts';
import type { End, Launched } from './contract.ts';
import { endHung } from './endHung.ts';
import { endOf } from './endOf.ts';

/**
 * Where the pipes belong to an id that a container has not, as those of lxd's and incus's daemons do, nothing in it may
 * open them, nor let others: then the rest of the program is a child on pipes of its own, and this hands on between
 * them until that has ended, and then what its pipes still held: sixteen pages. What select(2) says is ready takes a page
 * without waiting.
 */
const RELAY = String.raw`sub relay {
  my (@mine, @yours);
  for my $n (0 .. 2) {
    pipe(my $read, my $write) or return;
    ($mine[$n], $yours[$n]) = $n ? ($read, $write) : ($write, $read);
  }
  pipe(my $over, our $held) or return;
  my $pid = fork;
  return if !defined $pid;
  if ($pid == 0) {
    close $_ for @mine, $over;
    open STDIN, '<&', $yours[0];
    open STDOUT, '>&', $yours[1];
    open STDERR, '>&', $yours[2];
    close $_ for @yours;
    chmod 0666, $_ for \*STDIN, \*STDOUT, \*STDERR;
    return;
  }
  close $_ for @yours, $held;
  $SIG{$_} = 'IGNORE' for qw(HUP INT QUIT TERM PIPE);
  my @ways = ([\*STDIN, $mine[0], '', 0], [$mine[1], \*STDOUT, '', 0], [$mine[2], \*STDERR, '', 0]);
  my $ended = 0;
  for (;;) {
    my ($in, $out) = ('', '');
    vec($in, fileno $over, 1) = 1 if !$ended;
    for (@ways) {
      if ($_->[2] ne '') { vec($out, fileno $_->[1], 1) = 1 }
      elsif (!$ended || $_->[3]++ < 16) { vec($in, fileno $_->[0], 1) = 1 }
    }
    my $ready = select $in, $out, undef, $ended && $out eq '' ? 0 : undef;
    next if $ready < 0;
    last if $ended && $ready == 0;
    for my $way (@ways) {
      my ($from, $to) = @$way;
      my $count = 1;
      if ($way->[2] ne '') {
        next if !vec($out, fileno $to, 1);
        $count = syswrite $to, $way->[2];
        substr($way->[2], 0, $count) = '' if defined $count;
      } elsif (vec($in, fileno $from, 1)) {
        $count = sysread $from, $way->[2], 4096;
      }
      next if $count;
      close $from;
      close $to;
      $way = undef;
    }
    @ways = grep { defined } @ways;
    if (!$ended && vec($in, fileno $over, 1)) {
      $ended = 1;
      @ways = grep { $_->[1] != $mine[0] } @ways;
    }
  }
  waitpid $pid, 0;
  exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
}
`;

/**
 * Runs "$@" in a session of its own and says at its end how it ended, as waitpid(2) tells it. What it says is one
 * write, which nothing can come between. Ways in leave root's pipes, lxc-attach(1) even shut: whoever "$@" becomes is to
 * open them by name, as /dev/stdout.
 */
const BY_PERL = String.raw`${RELAY}my $word = shift;
relay() if grep { -p $_ && !chmod(0666, $_) } \*STDIN, \*STDOUT, \*STDERR;
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
 * what is said last while stdin is written to. A daemon's client that does not end after that is ended.
 */
export function toldBy(word: string, launched: Launched, daemon: boolean, clock: Clock): Launched {
  const stderr = new EndReader(word);
  if (daemon)
    void stderr.told.then((end) => {
      if (end !== null) endHung(launched, clock);
    });
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

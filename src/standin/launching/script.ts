/**
 * What starts the commands of a stand-in: a program of perl(1), which every Debian has. It goes to where the testbed is
 * once, by setns(2), and from there starts each command by one small fork: Node.js would copy the tables of all its own
 * memory each time, and enter anew. Nothing of it can be seen in the testbed's pid namespace.
 *
 * Arguments: the numbers of setns(2) and prlimit64(2), the latter 0 where it is not known, a root directory or nothing,
 * and files of namespaces in the order of joining. Commands get the usual limit of open files (see USUAL_LIMITS). It reads
 * launches from stdin, each a length in bytes, a newline, and fields parted by NUL: uid, gid, groups, working directory,
 * number of words of the argv, the argv, `NAME=VALUE` of the environment. It says on stdout:
 *
 *     R IN OUT ERR        it is ready; the pipes of the next command are these descriptors of its own
 *     S PID IN OUT ERR    the command runs on these pipes; those of the next one
 *     F WORDS             it does not; the pipes are left for the next one
 *     E PID STATUS        it has ended, with this status of waitpid(2)
 *
 * Whoever asks opens the pipes by /proc before the next launch. The program ends with its stdin. The end of a command
 * is told by pidfd_open(2): signals would have to be caught between two looks at stdin.
 */
export const LAUNCHER = String.raw`use strict;
use POSIX ();
my ($setns, $prlimit, $root, @files) = @ARGV;
$0 = 'trundle: starts commands';
umask 022;
# Node.js closes few of those that it was started with itself.
opendir(my $descriptors, '/proc/self/fd') or die "/proc/self/fd: $!\n";
my @inherited = grep { /^\d+$/ && $_ > 2 } readdir $descriptors;
closedir $descriptors;
POSIX::close($_) for @inherited;
my $pidfd_open = 434;
my $self = syscall($pidfd_open, $$ + 0, 0);
$self >= 0 or die "pidfd_open: $!\n";
POSIX::close($self);
my $limit = pack('QQ', 0, 0);
if ($prlimit && syscall($prlimit + 0, 0, 7, 0, $limit) == 0) {
  my ($soft, $hard) = unpack('QQ', $limit);
  $limit = pack('QQ', $hard < 1024 ? $hard : 1024, $hard);
  syscall($prlimit + 0, 0, 7, $limit, 0);
}
my @namespaces = map { open(my $file, '<', $_) or die "$_: $!\n"; $file } @files;
for (@namespaces) { syscall($setns + 0, fileno($_), 0) == 0 or die "setns: $!\n" }
@namespaces = ();
if ($root ne '') { chroot($root) or die "chroot: $!\n" }
chdir '/';

sub out { syswrite(STDOUT, "@_\n") }
my (@ours, @theirs);
sub pipes {
  (@ours, @theirs) = ();
  for my $of (0 .. 2) {
    pipe(my $read, my $write) or die "pipe: $!\n";
    my ($mine, $yours) = $of == 0 ? ($read, $write) : ($write, $read);
    push @theirs, $mine;
    push @ours, $yours;
  }
  return map { fileno $_ } @ours;
}

sub become {
  my ($uid, $gid, @groups) = @_;
  return if $> != 0;
  if (@groups) { $) = join ' ', $gid, @groups }
  return if $uid == 0;
  if (!@groups) { $) = "$gid $gid" }
  POSIX::setgid($gid);
  POSIX::setuid($uid);
  $< == $uid && $> == $uid or die "cannot become the user $uid: $!\n";
}

my %running;
sub launch {
  my ($uid, $gid, $groups, $cwd, $count, @words) = @_;
  my @argv = splice @words, 0, $count;
  return out('F', 'too many commands run at once') if keys %running >= 1000;
  # They are opened by name, as /dev/stdout, by whom the command runs as; if that is not known, by whoever has them.
  if ($uid eq '') { chmod 0666, @theirs }
  elsif ($> == 0) { chown $uid, $gid, @theirs }
  my $pid = fork;
  return out('F', "fork: $!") if !defined $pid;
  if ($pid == 0) {
    eval {
      POSIX::setsid();
      for (0 .. 2) { POSIX::dup2(fileno($theirs[$_]), $_) or die "dup2: $!\n" }
      become($uid, $gid, split / /, $groups) if $uid ne '';
      chdir $cwd or chdir '/';
      %ENV = map { split /=/, $_, 2 } @words;
      exec { $argv[0] } @argv;
      die "$argv[0]: $!\n";
    };
    syswrite(STDERR, "trundle: $@");
    POSIX::_exit(127);
  }
  my $ended = syscall($pidfd_open, $pid + 0, 0);
  if ($ended < 0) {
    my $why = $!;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return out('F', "pidfd_open: $why");
  }
  $running{$ended} = $pid;
  out('S', $pid, pipes());
}

out('R', pipes());
my $heard = '';
for (;;) {
  my $watched = '';
  vec($watched, $_, 1) = 1 for 0, keys %running;
  select(my $ready = $watched, undef, undef, undef) > 0 or next;
  for (grep { vec($ready, $_, 1) } keys %running) {
    my $pid = delete $running{$_};
    waitpid $pid, 0;
    my $status = $?;
    POSIX::close($_);
    out('E', $pid, $status);
  }
  next if !vec($ready, 0, 1);
  sysread(STDIN, $heard, 65536, length $heard) or last;
  while ($heard =~ /^(\d+)\n/ && length($heard) >= length($1) + 1 + $1) {
    my $fields = substr $heard, length($1) + 1, $1;
    $heard = substr $heard, length($1) + 1 + $1;
    launch(split /\0/, $fields, -1);
  }
}
`;

/** The number of setns(2) on each kind of machine that Node.js knows. */
export const SETNS: Readonly<Record<string, number>> = {
  x64: 308,
  arm64: 268,
  riscv64: 268,
  loong64: 268,
  ia32: 346,
  arm: 375,
  ppc64: 350,
  s390x: 339,
};

/** That of prlimit64(2). */
export const PRLIMIT: Readonly<Record<string, number>> = {
  x64: 302,
  arm64: 261,
  riscv64: 261,
  loong64: 261,
  ia32: 340,
  arm: 369,
  ppc64: 325,
  s390x: 334,
};

import { existsSync, realpathSync } from 'node:fs';

/** Where a machine may have its programs. */
const PLACES = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/bin', '/sbin'];

/** Takes programs "$@" up to `--` away for what follows: each directory gets a layer in which they are removed. */
const HIDE = `set -e
mount -t tmpfs none /mnt
n=0
while [ "$1" != -- ]; do
  n=$((n + 1)); mkdir "/mnt/u$n" "/mnt/w$n"
  mount -t overlay -o "lowerdir=$1,upperdir=/mnt/u$n,workdir=/mnt/w$n" overlay "$1"
  rm "$1/$2"
  shift 2
done
umount --lazy /mnt
shift
exec "$@"`;

/** The prefix of a command that finds this machine without some of its programs, in /usr/bin or elsewhere. Takes root. */
export function without(programs: readonly string[]): string[] {
  const directories = [...new Set(PLACES.filter((path) => existsSync(path)).map((path) => realpathSync(path)))];
  const places = programs.flatMap((name) =>
    directories.filter((directory) => existsSync(`${directory}/${name}`)).flatMap((directory) => [directory, name]),
  );
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', HIDE, 'sh', ...places, '--'];
}

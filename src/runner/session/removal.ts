/**
 * Functions of shell. `remove PATH...` is `rm -rf`, also of directories in which their owner may not write, as those of
 * Go's module cache; modes of files stay, for they may be links to somebody else's. `clear_away PATH` makes room where
 * another user's files cannot be removed, as those that a test made with sudo: what is there is given another name. It
 * goes, or is told of, with the directory that it is in.
 */
export const REMOVAL = `remove() {
  rm -rf "$@" 2>/dev/null && return
  find "$@" -type d ! -perm -700 -exec chmod u+rwx {} \\; 2>/dev/null || :
  rm -rf "$@"
}
clear_away() {
  ! remove "$1" 2>/dev/null || return 0
  number=1
  while [ -e "$1.left$number" ] || [ -L "$1.left$number" ]; do number=$((number + 1)); done
  mv "$1" "$1.left$number"
}`;

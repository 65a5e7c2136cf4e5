/**
 * A script that a test could hold: it prints what it sees around itself, as lines `fact<TAB>value`. It takes nothing but
 * a POSIX shell, the coreutils and /proc, so that every image can run it.
 */
export const PROBE = String.raw`
say() { printf '%s\t%s\n' "$1" "$2"; }
kind() {
  [ -e "/proc/$$/fd/$1" ] || { echo closed; return; }
  to=$(readlink "/proc/$$/fd/$1")
  case $to in pipe:*) echo pipe;; socket:*) echo socket;; *) echo "$to";; esac
}
say 'stdin' "$(kind 0)"
say 'stdout' "$(kind 1)"
say 'stderr' "$(kind 2)"
for fd in /proc/$$/fd/*; do
  n=$(basename "$fd")
  # Not by a substitution, which would be a pipe among them. What listed the directory is gone by now.
  case $n in 0|1|2) ;; *) printf 'descriptor %s\t' "$n"; readlink "$fd" || echo;; esac
done
env -0 | tr '\n\0' '?\n' | while IFS= read -r line; do say "environment: $(printf %s "$line" | cut -d= -f1)" "$(printf %s "$line" | cut -d= -f2-)"; done
say 'umask' "$(umask)"
while IFS= read -r line; do
  case $line in Max*) say "limit: $(printf '%.25s' "$line" | sed 's/ *$//')" "$(printf %s "$line" | cut -c27- | sed 's/  */ /g; s/ *$//')";; esac
done </proc/$$/limits
say 'user' "$(id -un)"
say 'uid' "$(id -u)"
say 'group' "$(id -gn)"
say 'groups' "$(id -Gn)"
say 'working directory' "$(pwd)"
say 'locale: charmap' "$(locale charmap 2>/dev/null)"
read -r stat <"/proc/$$/stat"
set -- $(printf %s "$stat" | sed 's/.*) //')
[ "$3" = "$$" ] && say 'leads its process group' yes || say 'leads its process group' no
[ "$4" = "$$" ] && say 'leads its session' yes || say 'leads its session' no
[ "$5" = 0 ] && say 'controlling terminal' none || say 'controlling terminal' "$5"
say 'nice' "$(nice)"
say 'oom_score_adj' "$(cat /proc/$$/oom_score_adj)"
for name in SigBlk SigIgn CapEff CapBnd NoNewPrivs Seccomp; do
  say "status: $name" "$(sed -n "s/^$name:[[:space:]]*//p" /proc/$$/status)"
done
say 'cgroup' "$(sed -n 's/^0:://p' /proc/$$/cgroup)"
say 'PID 1' "$(cat /proc/1/comm)"
say 'systemd runs' "$([ -d /run/systemd/system ] && echo yes || echo no)"
say 'XDG_RUNTIME_DIR is usable' "$([ -n "$XDG_RUNTIME_DIR" ] && [ -w "$XDG_RUNTIME_DIR" ] && echo yes || echo no)"
say 'login session' "$(loginctl show-session "$XDG_SESSION_ID" --property=Type --property=Class --value 2>/dev/null | tr '\n' ' ')"
say 'systemctl --user' "$(systemctl --user is-active default.target 2>/dev/null || echo no)"
say 'D-Bus of the user' "$(busctl --user status >/dev/null 2>&1 && echo yes || echo no)"
say 'host name' "$(cat /proc/sys/kernel/hostname)"
knows() { getent hosts "$1" >/dev/null 2>&1 && echo yes || echo no; }
say 'localhost is known' "$(knows localhost)"
say 'host name is known' "$(knows "$(cat /proc/sys/kernel/hostname)")"
say 'network interfaces' "$(sed -n 's/^ *\([^:]*\):.*/\1/p' /proc/net/dev | sort | tr '\n' ' ')"
say 'devices' "$(cd /dev && for f in null zero full random urandom tty ptmx pts shm fd stdin stdout stderr; do [ -e "$f" ] || [ -L "$f" ] && printf '%s ' "$f"; done)"
say '/tmp' "$(stat -c '%a %u' /tmp)"
say '/run' "$(stat -c '%a %u' /run)"
say '/run/lock' "$(stat -L -c '%a %u' /run/lock 2>/dev/null || echo none)"
say '/dev/shm' "$(stat -L -c '%a %u' /dev/shm 2>/dev/null || echo none)"
for path in /proc /sys /run /dev /dev/pts; do
  say "mounted on $path" "$(while read -r _ _ _ _ on _; do [ "$on" = "$path" ] && echo yes; done </proc/self/mountinfo | head -n 1)"
done
say '/proc/sys can be written' "$([ -w /proc/sys/kernel/hostname ] && echo yes || echo no)"
say '/sys can be written' "$(while read -r _ _ _ _ on how _; do [ "$on" = /sys ] && printf %s "$how" | cut -c1-2; done </proc/self/mountinfo | tail -n 1)"
say 'home can be written' "$([ -w "$HOME" ] && echo yes || echo no)"
exit 0
`;

import { REMOVAL } from './removal.ts';

/** What a test leaves in its testbed. */
export interface LeftByTest {
  /** Processes that had to be ended: `PID COMMAND`. */
  readonly processes: readonly string[];
  /** Whether there are artifacts. */
  readonly artifacts: boolean;
  /** Whether what was made for it is gone. */
  readonly tidy: boolean;
  /** What the script printed that was to be run; null where none was, or where it was not. */
  readonly answer: string | null;
}

/**
 * A script that ends what was started with `$1` as the value of a variable, and tells of it. A process may leave the
 * session and the group of its test, and close all that it was given; what it was started with stays in its environment,
 * by which it is known. Only one that was given another environment is not found. Pure.
 */
export function endAllWith(variable: string): string {
  return `for environ in $(grep -lszxF -e "${variable}=$1" /proc/[0-9]*/environ 2>/dev/null); do
  pid=\${environ#/proc/}; pid=\${pid%/environ}
  command=$(tr '\\000' ' ' <"/proc/$pid/cmdline" 2>/dev/null | head -c 200 | tr -d '\\n')
  kill -s KILL "$pid" 2>/dev/null && echo "process $pid $command"
done`;
}

/**
 * With `$2`, where there are no artifacts, that directory is removed with theirs. The script `$3` comes first: what it
 * ends is no news to whoever asks.
 */
export const LOOK_AFTER = `${REMOVAL}
[ -z "$3" ] || echo "answer $(eval "$3")"
${endAllWith('AUTOPKGTEST_ARTIFACTS')}
if [ -n "$2" ] && { rmdir "$1" "$2" 2>/dev/null || { [ ! -e "$1" ] && [ ! -L "$1" ]; }; }; then
  if { [ ! -e "$2" ] && [ ! -L "$2" ]; } || clear_away "$2"; then echo tidy; fi
elif [ -n "$(ls -A "$1" | head -n 1)" ]; then echo artifacts; fi`;

/** Reads what {@link LOOK_AFTER} printed, or {@link endAllWith}. Pure. */
export function leftByTest(stdout: string): LeftByTest {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const after = (word: string) => lines.flatMap((line) => (line.startsWith(word) ? [line.slice(word.length)] : []));
  const says = (word: string) => lines.includes(word);
  const [answer = null] = after('answer ');
  return { processes: after('process '), artifacts: says('artifacts'), tidy: says('tidy'), answer };
}

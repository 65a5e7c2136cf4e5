import { quote } from './testScript.ts';

/** Where a test that wants a reboot and the runner leave word for each other. */
export interface RebootPlace {
  readonly directory: string;
  /** The pid of the test's first process. */
  readonly pid: string;
  /** The mark with which a test wants to go on. */
  readonly mark: string;
  /** A FIFO for the mark of a test that reboots by itself. */
  readonly prepare: string;
  /** Comes into being when such a test may go on. */
  readonly go: string;
}

/** The place below a scratch directory. Pure. */
export function rebootPlace(scratch: string): RebootPlace {
  const directory = `${scratch}/reboot`;
  const within = (name: string) => `${directory}/${name}`;
  return { directory, pid: within('pid'), mark: within('mark'), prepare: within('prepare'), go: within('go') };
}

/** The programs by which tests ask for a reboot, by DEP-8 (README.package-tests, "Reboot during a test"). */
export const REBOOT_TOOL = '/tmp/autopkgtest-reboot';
export const PREPARE_TOOL = '/tmp/autopkgtest-reboot-prepare';

const USAGE = 'if [ $# != 1 ] || [ -z "$1" ]; then echo "usage: $0 MARK" >&2; exit 1; fi';

/**
 * What a test runs to have the testbed rebooted: leaves the mark, ends the test with its process group, and never
 * returns, so that nothing that called it goes on. Pure.
 */
export function rebootTool({ pid, mark }: RebootPlace): string {
  return [
    '#!/bin/sh',
    'set -e',
    USAGE,
    `read -r pid <${quote(pid)}`,
    `printf '%s' "$1" >${quote(mark)}`,
    '{ kill -s KILL -- "-$pid" || kill -KILL "-$pid" || kill -s KILL "$pid"; } 2>/dev/null',
    'while :; do sleep 60; done',
    '',
  ].join('\n');
}

/**
 * What a test runs that will reboot the testbed itself: tells the mark, and returns when all is saved. Whoever opens the
 * FIFO waits for the runner to read it. Pure.
 */
export function prepareTool({ prepare, go }: RebootPlace): string {
  return [
    '#!/bin/sh',
    'set -e',
    USAGE,
    `if ! [ -p ${quote(prepare)} ]; then echo "$0: no test runs" >&2; exit 1; fi`,
    `printf '%s' "$1" >${quote(prepare)}`,
    `while ! [ -e ${quote(go)} ]; do sleep 0.1; done`,
    '',
  ].join('\n');
}

/** Lets a test go on that waits in {@link prepareTool}. Pure. */
export function goOn({ go }: RebootPlace): string {
  return `: >${quote(go)}`;
}

/** Puts the text $2 into the file $1, makes it a program, and links it as $3 and in /sbin, where that can be written. */
export const OFFER_TOOL = `set -e
printf '%s' "$2" >"$1"
chmod 755 "$1"
ln -fns "$1" "$3"
ln -fns "$1" "/sbin/\${3##*/}" 2>/dev/null || :`;

/** Makes the place $1 anew, with the FIFO $2: anybody may leave word there. */
export const CLEAR_PLACE = 'rm -rf "$1" && mkdir -m 1777 "$1" && mkfifo -m 622 "$2"';

/** Waits for somebody to tell a mark by the FIFO $1, and prints it. */
export const AWAIT_MARK = 'exec cat "$1"';

/** Prints the mark in the file $1, if there is one, and takes it away. */
export const TAKE_MARK = 'if [ -e "$1" ]; then cat "$1" && rm -f "$1"; else exit 1; fi';

/**
 * Prints when the directories changed last that the next boot depends on. A setup command that makes
 * /run/autopkgtest_no_reboot.stamp says that no reboot is wanted: then it is as it was before, whatever that was.
 */
export const BOOT_STATE = `state=/run/trundle-boot-state
if [ -e /run/autopkgtest_no_reboot.stamp ] && [ -e "$state" ]; then cat "$state"; exit 0; fi
for directory in /boot /etc/init /etc/init.d /etc/systemd/system /lib/systemd/system; do
  if [ -d "$directory" ]; then stat -c '%n %y' "$directory/"; fi
done | if [ -e "$state" ]; then cat; else tee "$state"; fi`;

/** Copies the directory $1 to where a boot clears nothing, and prints the new parent's name. */
export const SAVE_SCRATCH = `set -e
store=
for place in /var/cache /home /var/lib; do
  if [ -d "$place" ] && store=$(mktemp -d "$place/autopkgtest-reboot.XXXXXX" 2>/dev/null); then break; fi
done
if [ -z "$store" ]; then echo 'neither /var/cache nor /home can be written' >&2; exit 1; fi
cp -a -- "$1" "$store/scratch"
echo "$store"`;

import { PassThrough } from 'node:stream';
import type { Clock } from '../../events/index.ts';
import type { CommandEnd, RunningCommand, Testbed } from '../../testbed/index.ts';
import { parseFacts, type TestbedFacts } from './facts.ts';
import { Helper } from './Helper.ts';
import { limited } from './limit.ts';
import { REMOVAL } from './removal.ts';

/**
 * Makes the scratch directory with mode `$1`, where there is a user `$2` or none is asked for, at `$3` or wherever
 * mktemp(1) would put it; with `$4`, it is what was saved there before a reboot. Prints its name and the facts of the testbed,
 * one `key=value` per line, and `ready`; removes the directory when its stdin ends, unless it was told to keep it. So the
 * directory goes away whatever ends the run: an orderly end, a signal to the command, a lost connection, or the death of
 * our process; a further signal to its group does not keep it from that. Where nobody said goodbye, tests may still run
 * that nobody else would end, and so may a build wherever there was room for one: it ends them first, the second time what
 * was started meanwhile. Until then it runs what a {@link Helper} sends it.
 */
export const KEEPER_SCRIPT = `set -e
${REMOVAL}
if [ -n "$2" ] && ! id -u "$2" >/dev/null 2>&1; then echo user=unknown; exit 1; fi
scratch=$3
if [ -n "$4" ]; then rm -rf "$scratch" && mv "$4/scratch" "$scratch" && rmdir "$4"
elif [ -n "$scratch" ]; then mkdir -m "$1" "$scratch"
else
  read -r id 2>/dev/null </proc/sys/kernel/random/uuid || id=
  scratch=\${TMPDIR:-/tmp}/autopkgtest.\${id%"\${id#??????}"}
  [ -n "$id" ] && mkdir -m "$1" "$scratch" 2>/dev/null || { scratch=$(mktemp -d -t autopkgtest.XXXXXX); chmod "$1" "$scratch"; }
fi
goodbye=
end_tests() {
  for environ in $(grep -lszF -e "AUTOPKGTEST_ARTIFACTS=$scratch/" -e "TRUNDLE_BUILD=$scratch/" /proc/[0-9]*/environ 2>/dev/null); do
    pid=\${environ#/proc/}
    kill -s KILL "\${pid%/environ}" 2>/dev/null || :
  done
}
trap 'trap "" HUP INT TERM PIPE; [ -n "$goodbye" ] && [ ! -d "$scratch/build" ] || { end_tests; end_tests; }; cd / && remove "$scratch" || exit 1' EXIT
trap 'exit 0' HUP INT TERM PIPE
echo "scratch=$scratch"
echo "architecture=$(dpkg --print-architecture 2>/dev/null)" &
echo "processors=$(nproc 2>/dev/null)" &
echo "kernel=$(uname -srv 2>/dev/null)" &
while IFS= read -r line; do
  case $line in
  'model name'[[:blank:]]*) echo "cpuModel=\${line#*: }" ;;
  flags[[:blank:]]*) echo "cpuFlags=\${line#*: }" ;;
  '') break ;;
  esac
done 2>/dev/null </proc/cpuinfo || :
facts="helps=yes
sweeps=yes"
for program in dpkg-query dpkg-source bash apt-get eatmydata; do
  if command -v "$program" >/dev/null 2>&1; then facts="$facts
$program=yes"; fi
done
if [ -w /var/lib/dpkg/status ]; then
  uid=
  while [ "$uid" != Uid: ] && read -r uid _ effective _; do :; done 2>/dev/null </proc/$$/status || :
  [ "$uid" = Uid: ] || effective=$(id -u)
  if [ "$effective" = 0 ]; then facts="$facts
installs=yes"; fi
fi
echo "$facts"
wait
echo ready
set +e
script=
while IFS= read -r line; do
  case $line in
  keep) trap - EXIT; exit 0 ;;
  goodbye) goodbye=yes ;;
  ' '*) script="$script\${line# }
" ;;
  'run '*) ( eval "$script" ) </dev/null; echo "answer \${line#run } $?"; script= ;;
  esac
done`;

/** Where the keeper runs. */
export interface KeeperOptions {
  readonly login: string;
  /** User who must be there; null where it is nobody in particular. */
  readonly user: string | null;
  /** Octal mode of the directory. */
  readonly mode: string;
  /** Its path; null where any will do. */
  readonly directory: string | null;
  /** Where it was saved before a reboot; null where it is new. */
  readonly saved: string | null;
  /** Milliseconds for its making. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called as soon as the directory is there, before all else that the keeper has to tell. */
  readonly onScratch?: ((scratch: string) => void) | undefined;
}

/** There is no scratch directory: how the command that should make it ended, and what it said. */
export interface Unkept {
  readonly end: CommandEnd;
  readonly said: string;
  readonly noSuchUser: boolean;
}

/** What the keeper told of itself. */
interface Kept {
  readonly scratch: string;
  readonly facts: TestbedFacts;
  readonly sweeps: boolean;
}

/** A scratch directory in the testbed, with the command that holds it. */
export class ScratchKeeper {
  readonly directory: string;
  readonly facts: TestbedFacts;
  /** Runs short scripts where the directory is; null where it cannot. */
  readonly helper: Helper | null;
  /** Whether the helper can look after a test. */
  readonly sweeps: boolean;
  readonly #running: RunningCommand;
  readonly #stdin: PassThrough;

  private constructor(
    { scratch, facts, sweeps }: Kept,
    helper: Helper | null,
    running: RunningCommand,
    stdin: PassThrough,
  ) {
    this.directory = scratch;
    this.facts = facts;
    this.helper = helper;
    this.sweeps = sweeps && helper !== null;
    this.#running = running;
    this.#stdin = stdin;
  }

  /** The keeper with its directory; or how its command ended, and what it said, where there is none. */
  static async open(testbed: Testbed, options: KeeperOptions): Promise<ScratchKeeper | Unkept> {
    const stdin = new PassThrough();
    const late = new AbortController();
    // The keeper itself must outlive an abort for long enough to remove its directory: the end of its stdin tells it.
    const limit = limited(options.clock, options.timeout, options.signal);
    const giveUp = () => late.abort();
    limit.signal.addEventListener('abort', giveUp, { once: true });
    if (limit.signal.aborted) giveUp();
    const argv = [
      'sh',
      '-c',
      KEEPER_SCRIPT,
      'sh',
      options.mode,
      options.user ?? '',
      options.directory ?? '',
      options.saved ?? '',
    ];
    const running = testbed.start(argv, { login: options.login, stdin, signal: late.signal });
    const said = { stdout: '', stderr: '' };
    let helper: Helper | null = null;
    let { onScratch } = options;
    running.stderr.on('data', (chunk: Uint8Array) => {
      if (helper === null) said.stderr += Buffer.from(chunk).toString();
    });
    const ready = new Promise<boolean>((resolve) => {
      running.stdout.on('data', (chunk: Uint8Array) => {
        if (helper !== null) return helper.hear(chunk);
        said.stdout += Buffer.from(chunk).toString();
        const [, scratch] = /^scratch=(.+)\n/m.exec(said.stdout) ?? [];
        if (scratch !== undefined) {
          onScratch?.(scratch);
          onScratch = undefined;
        }
        const end = /^ready\n/m.exec(said.stdout);
        if (end === null) return;
        helper = new Helper({ stdin, ended: running.ended, clock: options.clock, cancel: giveUp });
        helper.hear(Buffer.from(said.stdout.slice(end.index + end[0].length)));
        resolve(true);
      });
      void running.ended.then(() => resolve(false));
    });
    const standing = await ready;
    limit.signal.removeEventListener('abort', giveUp);
    limit.done();
    const { scratch, facts, helps, sweeps } = parseFacts(said.stdout);
    if (standing && scratch !== null)
      return new ScratchKeeper({ scratch, facts, sweeps }, helps ? helper : null, running, stdin);
    stdin.end();
    const noSuchUser = /^user=unknown$/m.test(said.stdout);
    // A login that is not meant for people, as with nologin(8), says so on stdout.
    return { end: await running.ended, said: said.stderr.trim() || said.stdout.trim(), noSuchUser };
  }

  /** Lets go of the directory and leaves it where it is. */
  letGo(): Promise<boolean> {
    return this.#end('keep');
  }

  /** Removes the directory; false where nobody can tell that it is gone. */
  close(): Promise<boolean> {
    return this.#end('goodbye');
  }

  async #end(word: string): Promise<boolean> {
    this.#stdin.end(`${word}\n`);
    const { result } = await this.#running.ended;
    return result.kind === 'exited' && result.status === 0;
  }
}

import type { Connection } from './Connection.ts';
import { quote } from './launchLine.ts';

/** Characters of an answer that are kept. */
const MOST = 64 * 1024;

/** The line before an answer: whatever the login shell's rc files print comes before it. */
const MARK = 'trundle answers:\n';

/** The last question on each connection. */
const last = new WeakMap<Connection, Promise<unknown>>();

/**
 * Runs a short script of our own over a connection and gives what it printed; rejects if there is no way to. One at
 * a time: however many commands are to be signalled at once, the server has to grant one more session only.
 */
export function probe(connection: Connection, script: string): Promise<string> {
  const before = last.get(connection) ?? Promise.resolve();
  const answer = before.then(
    () => run(connection, script),
    () => run(connection, script),
  );
  last.set(connection, answer);
  return answer;
}

function run(connection: Connection, script: string): Promise<string> {
  const line = `exec /bin/sh -c ${quote(`echo ${MARK.trim()}; ${script}`)}`;
  return new Promise((resolve, reject) => {
    connection.sessions.exec(line, {}, (error, channel) => {
      if (error) return reject(error);
      let answer = '';
      let complaint = '';
      let code: number | null = null;
      channel.on('data', (chunk: Buffer) => {
        if (answer.length < MOST) answer += chunk.toString('utf8');
      });
      channel.stderr.on('data', (chunk: Buffer) => {
        if (complaint.length < MOST) complaint += chunk.toString('utf8');
      });
      channel.on('exit', (status: number | null) => {
        code = status;
      });
      channel.on('close', () => {
        if (code === 0) resolve(answer.slice(answer.indexOf(MARK) + MARK.length));
        else
          reject(
            new Error(complaint.trim() || `it ended with ${code === null ? 'no exit status' : `exit status ${code}`}`),
          );
      });
      channel.end();
    });
  });
}

/** The process group of a command. */
export interface ProcessGroup {
  readonly pid: number;
  /** Processes of it that were there before the command: they and their children are not counted. */
  readonly jobs: readonly number[];
  /** Whether it is that of an interactive shell. */
  readonly shell: boolean;
}

/** Signals a process group and prints how many living processes of the command were in it just before. */
export function signalScript({ pid, jobs, shell }: ProcessGroup, signal: 'TERM' | 'KILL'): string {
  const other = jobs.length === 0 ? '' : ` && case " ${jobs.join(' ')} " in *" $p "*|*" $2 "*) false;; esac`;
  const count =
    `n=0; for s in /proc/[0-9]*/stat; do read -r l 2>/dev/null <"$s" || continue; p=\${l%% *}; set -- \${l##*) }; ` +
    `[ "$3" = ${pid} ] && [ "$1" != Z ]${other} && n=$((n+1)); done`;
  // The kill of busybox knows no --, and that of dash takes a group for an option without it.
  const kill = (what: string) => `{ kill -s ${what} -- -${pid} || kill -${what} -${pid}; } 2>/dev/null`;
  // An interactive shell heeds no SIGTERM (bash(1), SIGNALS), but the end of its terminal, and hands that on to its jobs.
  const all = shell && signal === 'TERM' ? `${kill('HUP')}; ${kill('TERM')}` : kill(signal);
  return `${kill('0')} || { echo 0; exit 0; }; ${count}; ${all}; echo $n`;
}

/** Prints the boot id, and PID 1's status line. */
export const BOOT_SCRIPT = 'cat /proc/sys/kernel/random/boot_id && cat /proc/1/stat';

/** The identity of a boot from what {@link BOOT_SCRIPT} printed. Pure. @throws Error where that is not it */
export function bootIdentity(answer: string): string {
  const [bootId = '', stat = ''] = answer.split('\n');
  // Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold anything, so count from its closing parenthesis.
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  if (bootId === '' || started === undefined)
    throw new Error(`this names no boot: ${JSON.stringify(answer.slice(0, 80))}`);
  return `${bootId}/${started}`;
}

/** Has the guest reboot a moment after the answer is out; tries the ways from the gentle to the blunt. */
export const REBOOT_SCRIPT =
  '( trap "" HUP; sleep 0.2; systemctl reboot || reboot || reboot -f || shutdown -r now ) </dev/null >/dev/null 2>&1 & echo asked';

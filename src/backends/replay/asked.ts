/** What a command line asks for, as the driver sends it. */
export type AskedLine =
  | { kind: 'command'; nonce: string; shown: readonly string[] }
  /** The script comes on stdin: so many bytes of it. */
  | { kind: 'script'; bytes: number }
  | { kind: 'signal'; pid: number; signal: string }
  | { kind: 'identify' }
  | { kind: 'reboot' }
  | { kind: 'unknown' };

/** Characters of a command line that go into a trace. */
const LONGEST = 2000;

/** Reads a command line of the driver. Pure. */
export function readAsked(line: string): AskedLine {
  const script = scriptOf(line);
  const fromStdin = /^eval "\$\(head -c (\d+)\)"$/.exec(script);
  if (fromStdin !== null) return { kind: 'script', bytes: Number(fromStdin[1]) };
  if (script.startsWith('echo trundle answers:;')) return question(script);
  return readScript(script);
}

/** Reads the script of a command, however it came. Pure. */
export function readScript(script: string): AskedLine {
  const [, nonce, program] =
    /^set \+x; .*?trundle:([0-9a-f]+):stdout:.*?; (?:echo trundle:\S+ >&2; )?(?:cd (?:'(?:[^']|'\\'')*'|\S+) \|\| exit 127; )?exec (.*)$/s.exec(
      script,
    ) ?? [];
  if (nonce === undefined || program === undefined) return { kind: 'unknown' };
  return { kind: 'command', nonce, shown: shown(program) };
}

/** What the login shell would run: the script within `exec /bin/sh -c`, or the line itself. */
function scriptOf(line: string): string {
  const words = wordsOf(line);
  if (words === null || words[0] !== 'exec' || words[1] !== '/bin/sh' || words[2] !== '-c') return line;
  if (words[3] === 'eval "$(printf %b "$1")"' && words[5] !== undefined) {
    return words[5].replaceAll(/\\0([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
  }
  return words[3] ?? line;
}

function question(script: string): AskedLine {
  const [, signal, pid] =
    /; \{ kill -s ([A-Z0-9]+) -- -(\d+) \|\| [^;]*; \} 2>\/dev\/null; echo \$n$/.exec(script) ?? [];
  if (signal !== undefined) return { kind: 'signal', pid: Number(pid), signal };
  if (script.includes('/proc/sys/kernel/random/boot_id')) return { kind: 'identify' };
  return script.includes('systemctl reboot') ? { kind: 'reboot' } : { kind: 'unknown' };
}

/** The forms in which a trace may have written this program down. */
function shown(program: string): string[] {
  if (program.endsWith(`"\${SHELL:-/bin/sh}" -l`)) return ['login shell'];
  let words = wordsOf(program);
  if (words === null) return [shortened(program)];
  if (words[0] === '/usr/bin/env' && words[1] === '--') {
    words = words.slice(2);
    while (/^[A-Za-z_]\w*=/.test(words[0] ?? '')) words = words.slice(1);
  }
  if (words[0] === '/bin/sh' && words[1] === '-c' && words[2] === '"$@"') words = words.slice(4);
  const line = shortened(words.map(quoted).join(' '));
  const [shell, option, script, ...rest] = words;
  const isLine = shell === '/bin/sh' && option === '-c' && script !== undefined && rest.length === 0;
  return isLine ? [shortened(script), line] : [line];
}

function shortened(line: string): string {
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}...` : line;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words of a line of single quotes and plain characters; null for any other. Pure. */
export function wordsOf(line: string): string[] | null {
  const words: string[] = [];
  let rest = line;
  while (rest !== '') {
    const [whole = ''] = /^(?:'[^']*'|\\.|[^\s'\\"$`;&|<>()])+/s.exec(rest) ?? [];
    if (whole === '') return null;
    words.push(whole.replaceAll(/'([^']*)'|\\(.)/gs, (_, inner?: string, escaped?: string) => inner ?? escaped ?? ''));
    rest = rest.slice(whole.length);
    if (rest === '') return words;
    if (!/^ +/.test(rest)) return null;
    rest = rest.replace(/^ +/, '');
  }
  return words;
}

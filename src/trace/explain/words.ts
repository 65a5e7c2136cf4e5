import type { Cause, CommandResult, Endpoint, Failure, Loss } from '../../events/index.ts';

/** A count with its noun. Pure. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Milliseconds as seconds, as in `12.345 s`. Pure. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

/** A limit of so many milliseconds in the unit a person would use. Pure. */
export function duration(ms: number): string {
  if (ms >= 60_000 && ms % 60_000 === 0) return count(ms / 60_000, 'minute');
  return ms >= 1000 ? `${Number((ms / 1000).toFixed(3))} s` : `${ms} ms`;
}

/** Words as one would type them at a shell. Pure. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** Text from outside, safe to print: control characters, which could steer a terminal, become visible. Pure. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '\t') return ' ';
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}

/** A list in words; `nothing` where it is empty. Pure. */
export function list(items: readonly string[], nothing = 'nothing'): string {
  return items.length === 0 ? nothing : items.join(', ');
}

/** What a system call or program said, and what would mend it. Pure. */
export function failureWords(failure: Failure): string {
  const code = failure.code === null || failure.message.includes(failure.code) ? '' : `${failure.code}: `;
  return `${code}${failure.message}${failure.remedy === undefined ? '' : ` (to mend it: ${failure.remedy})`}`;
}

/** How a byte stream ended, after "the connection". Pure. */
export function lossWords(how: Loss): string {
  return LOSSES[how];
}

const LOSSES: Readonly<Record<Loss, string>> = {
  refused: 'was refused',
  unreachable: 'could not reach the host',
  closed: 'was closed by the other side',
  reset: 'was reset',
  silent: 'fell silent',
  protocol: 'broke the SSH protocol',
  local: 'failed on our side',
};

/** How a command ended, after its name. Pure. */
export function resultWords(result: CommandResult): string {
  switch (result.kind) {
    case 'exited':
      return result.status === 0 ? 'succeeded' : `exited with status ${result.status}`;
    case 'signalled':
      return `was killed by signal ${result.signal}`;
    case 'timed-out':
      return `was ended because it ran longer than ${duration(result.after)}`;
    case 'cancelled':
      return 'was cancelled';
    case 'lost':
      return `has an unknown end: its connection ${lossWords(result.how)}`;
    case 'refused':
      return `was never started: ${result.message}`;
  }
}

/** A cause in a few words, without its evidence. Pure. */
export function causeWords(cause: Cause): string {
  const detail = cause.detail === undefined || cause.detail === '' ? '' : `: ${cause.detail}`;
  return `${cause.class} while ${cause.doing}${detail}`;
}

/** Where an SSH server is. Pure. */
export function endpointWords(endpoint: Endpoint): string {
  const { via } = endpoint;
  const server = endpoint.server === 'sshd' ? 'sshd' : "Trundle's own SSH server";
  switch (via.kind) {
    case 'tcp':
      return `${server} at ${via.host} port ${via.port}`;
    case 'unix':
      return `${server} at socket ${via.path}`;
    case 'process':
      return `${server} behind the process ${shellLine(via.argv)}`;
    case 'memory':
      return `${server} in this process`;
  }
}

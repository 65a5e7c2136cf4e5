/** Bytes that may come before the version line (RFC 4253, section 4.2 allows lines before it). */
const MOST = 8192;
/** How well-known other services greet. */
const OTHERS = /^(HTTP\/|220[ -]|\+OK|\* OK|RFB |AMQP|-ERR)/;

/** What the start of a peer's bytes is: not enough yet, an SSH server, or something else. */
export type Greeting = { kind: 'incomplete' } | { kind: 'ssh'; software: string } | { kind: 'other'; sample: string };

/** Reads a peer's first bytes. Pure. */
export function readGreeting(bytes: Uint8Array): Greeting {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) {
    const version = /^SSH-(?:2\.0|1\.99)-([^\r]*)\r?$/.exec(line);
    if (version !== null) return { kind: 'ssh', software: version[1] ?? '' };
    if (!isText(line) || OTHERS.test(line) || line.startsWith('SSH-')) return { kind: 'other', sample: sampleOf(text) };
  }
  if (text.length > MOST || !isText(rest)) return { kind: 'other', sample: sampleOf(text) };
  return { kind: 'incomplete' };
}

/** The start of a text for a message, printable characters only. Pure. */
export function sampleOf(text: string): string {
  return text.slice(0, 120).replaceAll(/[^\x20-\x7e]/g, '.');
}

function isText(line: string): boolean {
  // Anything but control characters: lines before the version line may be in UTF-8.
  return /^[\t\r\x20-\x7e\x80-\xff]*$/.test(line);
}

import { createHash, createHmac } from 'node:crypto';

/** A line of a known_hosts file that names a key (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownKey {
  /** Patterns as they stand, or the one hashed name. */
  readonly patterns: readonly string[];
  readonly revoked: boolean;
  /** `SHA256:...` */
  readonly fingerprint: string;
  readonly line: number;
}

/** Reads a known_hosts file; lines that are no key, and authorities (@cert-authority), are told to `skip`. Pure. */
export function parseKnownHosts(text: string, skip: (line: number, why: string) => void = () => {}): KnownKey[] {
  const keys: KnownKey[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const words = line.split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [patterns, algorithm, key = ''] = words;
    const blob = Buffer.from(key, 'base64');
    if (marker === '@cert-authority') skip(index + 1, 'certificate authorities are not supported');
    else if (marker !== undefined && marker !== '@revoked') skip(index + 1, `the marker ${marker} is not known`);
    else if (patterns === undefined || algorithm === undefined || algorithmOf(blob) !== algorithm)
      skip(index + 1, 'this is no key');
    else {
      const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
      keys.push({ patterns: patterns.split(','), revoked: marker === '@revoked', fingerprint, line: index + 1 });
    }
  }
  return keys;
}

/** A key begins with the name of its kind (RFC 4253, section 6.6). */
function algorithmOf(blob: Buffer): string | null {
  return blob.length < 4 ? null : blob.toString('latin1', 4, 4 + blob.readUInt32BE(0));
}

/**
 * The fingerprints that a host may show: those of its lines, less the revoked ones, which are told beside. As ssh(1)
 * does, keys of the bare name count for a port of its own too where none is known for that port. Pure.
 */
export function fingerprintsFor(
  keys: readonly KnownKey[],
  host: string,
  port: number,
): { accepted: string[]; revoked: string[] } {
  const bad = new Set(keys.filter((key) => key.revoked).map((key) => key.fingerprint));
  const ofPort = keys.filter((key) => matches(key.patterns, nameOf(host, port)));
  const matching = ofPort.length > 0 ? ofPort : keys.filter((key) => matches(key.patterns, nameOf(host, 22)));
  const all = [...new Set(matching.map((key) => key.fingerprint))];
  return {
    accepted: all.filter((fingerprint) => !bad.has(fingerprint)),
    revoked: all.filter((fingerprint) => bad.has(fingerprint)),
  };
}

/** A host as known_hosts has it: with a port of its own in brackets. */
function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function matches(patterns: readonly string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('|1|')) matched ||= matchesHash(pattern, name);
    else if (pattern.startsWith('!')) {
      if (matchesGlob(pattern.slice(1), name)) return false;
    } else matched ||= matchesGlob(pattern, name);
  }
  return matched;
}

function matchesHash(pattern: string, name: string): boolean {
  const [, , salt = '', hash = ''] = pattern.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

function matchesGlob(pattern: string, name: string): boolean {
  const source = pattern
    .toLowerCase()
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

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
    const [patterns, algorithm, key] = words;
    if (marker === '@cert-authority') skip(index + 1, 'certificate authorities are not supported');
    else if (patterns === undefined || algorithm === undefined || key === undefined) skip(index + 1, 'this is no key');
    else {
      const blob = Buffer.from(key, 'base64');
      const fingerprint = `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
      keys.push({ patterns: patterns.split(','), revoked: marker === '@revoked', fingerprint, line: index + 1 });
    }
  }
  return keys;
}

/** The fingerprints that a host may show: those of its lines, less the revoked ones. Pure. */
export function fingerprintsFor(keys: readonly KnownKey[], host: string, port: number): string[] {
  const revoked = new Set(keys.filter((key) => key.revoked).map((key) => key.fingerprint));
  const matching = keys.filter((key) => !key.revoked && matches(key.patterns, host, port));
  return [...new Set(matching.map((key) => key.fingerprint))].filter((fingerprint) => !revoked.has(fingerprint));
}

function matches(patterns: readonly string[], host: string, port: number): boolean {
  // As OpenSSH: a port of its own stands in brackets, and then the bare name does not match.
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
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

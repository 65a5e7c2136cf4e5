import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

/** A key pair in OpenSSH's formats. */
export interface KeyPair {
  /** Private key, OpenSSH format. Secret. */
  readonly privateKey: string;
  /** Public key as one line of authorized_keys, without a newline. */
  readonly publicKey: string;
  /** `SHA256:...`, as ssh-keygen -l shows it. */
  readonly fingerprint: string;
}

/** Makes a new ed25519 key pair. */
export function generateKeyPair(comment = 'trundle'): KeyPair {
  const pair = soundPair(comment);
  const blob = Buffer.from(pair.public.split(' ')[1] ?? '', 'base64');
  return { privateKey: pair.private, publicKey: pair.public, fingerprint: fingerprintOf(blob) };
}

/**
 * ssh2 1.17 drops leading zero bytes of the public key, so that one key in 256 is of no use: it cannot read that one
 * back, and neither can anybody else.
 */
function soundPair(comment: string): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

/** The SHA256 fingerprint of a public key's wire form (RFC 4253, section 6.6). Pure. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The algorithm's name in a public key's wire form. Pure. */
export function algorithmOf(key: Uint8Array): string {
  const buffer = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  if (buffer.length < 4) return 'unknown';
  return buffer.subarray(4, 4 + buffer.readUInt32BE(0)).toString('latin1');
}

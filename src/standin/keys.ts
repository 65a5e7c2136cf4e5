import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';

/** A key pair in OpenSSH's formats. */
export interface Keys {
  /** Private key, OpenSSH format. Secret. */
  readonly privateKey: string;
  /** Public key as one line of authorized_keys, without a newline. */
  readonly publicKey: string;
  /** `SHA256:...`, as ssh-keygen -l shows it. */
  readonly fingerprint: string;
}

const TYPE = 'ssh-ed25519';

/**
 * Makes a new ed25519 key pair, for a stand-in or for an sshd that serves one run only. ssh2 could make one as well; but
 * one in 256 of its keys nobody can read (1.17 drops leading zero bytes), and a testbed that comes up need not wait for it
 * to be loaded.
 */
export function generateKeys(): Keys {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicPart = Buffer.from(x ?? '', 'base64url');
  const secret = Buffer.concat([Buffer.from(d ?? '', 'base64url'), publicPart]);
  const blob = Buffer.concat([text(TYPE), text(publicPart)]);
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return {
    privateKey: privateKeyFile(blob, [text(TYPE), text(publicPart), text(secret), text('')]),
    publicKey: `${TYPE} ${blob.toString('base64')}`,
    fingerprint: `SHA256:${digest}`,
  };
}

/** A file of one private key without a passphrase (PROTOCOL.key of OpenSSH). */
function privateKeyFile(blob: Buffer, fields: readonly Buffer[]): string {
  // Twice the same number shows that a passphrase was right, where there is one.
  const check = randomBytes(4);
  const section = Buffer.concat([check, check, ...fields]);
  // As long as a block of the cipher that is not there.
  const padding = Buffer.from(Array.from({ length: -section.length & 7 }, (_, index) => index + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const parts = [text('none'), text('none'), text(''), one, text(blob), text(Buffer.concat([section, padding]))];
  const lines = Buffer.concat([Buffer.from('openssh-key-v1\0'), ...parts])
    .toString('base64')
    .match(/.{1,70}/g);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines?.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** Bytes after their number (RFC 4251, section 5). */
function text(bytes: string | Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(bytes));
  return Buffer.concat([length, Buffer.from(bytes)]);
}

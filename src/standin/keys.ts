import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

/** A key pair in OpenSSH's formats. */
export interface Keys {
  /** Private key, OpenSSH format. Secret. */
  readonly privateKey: string;
  /** Public key as one line of authorized_keys, without a newline. */
  readonly publicKey: string;
  /** `SHA256:...`, as ssh-keygen -l shows it. */
  readonly fingerprint: string;
}

/** Makes a new ed25519 key pair, for a stand-in or for an sshd that serves one run only. */
export function generateKeys(): Keys {
  const pair = soundKeyPair();
  const blob = Buffer.from(pair.public.split(' ')[1] ?? '', 'base64');
  const digest = createHash('sha256').update(blob).digest('base64').replace(/=+$/, '');
  return { privateKey: pair.private, publicKey: pair.public, fingerprint: `SHA256:${digest}` };
}

/**
 * ssh2 1.17 drops leading zero bytes of the public key, so that one key in 256 is of no use: it cannot read that one
 * back, and neither can anybody else.
 */
function soundKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

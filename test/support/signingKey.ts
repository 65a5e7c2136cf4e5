import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A key of OpenPGP's, in a keyring of its own. */
export interface SigningKey extends Disposable {
  /** ASCII-armoured. */
  readonly armoured: string;
  /** As gpg(1) says it. */
  readonly fingerprint: string;
  /** The text with its signature, as an InRelease file has it. */
  clearsign(text: string): string;
}

/** Makes a key with gpg(1). @param algorithm as `--quick-generate-key` takes it */
export function signingKey(algorithm = 'ed25519'): SigningKey {
  const home = mkdtempSync(path.join(tmpdir(), 'trundle-gpg-'));
  const gpg = (words: readonly string[], input = '') =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...words], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  gpg(['--passphrase', '', '--quick-generate-key', 'PPA <ppa@example.org>', algorithm, 'sign', 'never']);
  const [, fingerprint = ''] = /^fpr:+([0-9A-F]+):/m.exec(gpg(['--with-colons', '--list-keys'])) ?? [];
  return {
    armoured: gpg(['--armor', '--export']),
    fingerprint,
    clearsign: (text) => gpg(['--clearsign'], text),
    [Symbol.dispose]: () => {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'], { stdio: 'ignore' });
      rmSync(home, { recursive: true, force: true });
    },
  };
}

import { UsageError } from '../../errors.ts';

/** A personal package archive of Launchpad's: `ppa:[USER:TOKEN@]OWNER/[DISTRIBUTION/]NAME[:FINGERPRINT]`. */
export interface Ppa {
  readonly owner: string;
  /** `ubuntu` where none is named. */
  readonly distribution: string;
  readonly name: string;
  /** Who may read a private one. */
  readonly credentials: { readonly user: string; readonly token: string } | null;
  /** Of the key that signs it, in capital hexadecimal digits; null where Launchpad is to be asked. */
  readonly fingerprint: string | null;
}

/** A PPA, and the key by which apt knows what is of it. */
export interface SignedPpa extends Ppa {
  /** ASCII-armoured (RFC 9580, 6.2), as apt takes it. */
  readonly key: string;
  readonly fingerprint: string;
}

const PPA =
  /^ppa:(?:([^\s:@/]+):([^\s@/]+)@)?~?([a-z0-9][a-z0-9+.-]*)\/(?:([a-z0-9][a-z0-9+.-]*)\/)?([a-z0-9][a-z0-9+.-]*)(?::(?:0x)?([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}))?$/;

/** Reads what --add-apt-source says of a PPA. @throws UsageError, whose message does not hold the token */
export function ppaOf(text: string): Ppa {
  const match = PPA.exec(text);
  if (match === null) {
    throw new UsageError(
      `--add-apt-source ${text.replace(/^ppa:.*@/s, 'ppa:***@')}: expected ppa:OWNER/NAME, or ppa:USER:TOKEN@OWNER/NAME:FINGERPRINT for a private one`,
    );
  }
  const [, user, token, owner = '', distribution = 'ubuntu', name = '', fingerprint] = match;
  return {
    owner,
    distribution,
    name,
    credentials: user === undefined || token === undefined ? null : { user, token },
    fingerprint: fingerprint?.toUpperCase() ?? null,
  };
}

/** The tokens among sources of apt, which nobody is to read. Pure. */
export function ppaSecrets(sources: readonly string[] = []): string[] {
  return sources.flatMap((text) => [...text.matchAll(/ppa:[^\s:@/]+:([^\s@/]+)@/g)].map(([, token = '']) => token));
}

/** As people write it. Pure. */
export function labelOf({ owner, distribution, name }: Ppa): string {
  return distribution === 'ubuntu' ? `ppa:${owner}/${name}` : `ppa:${owner}/${distribution}/${name}`;
}

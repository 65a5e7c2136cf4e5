import ssh2, { type AuthContext } from 'ssh2';
import type { Keys } from './keys.ts';

/** The public half of a key pair, as it goes over the wire. Pure. */
export function publicKeyOf({ publicKey }: Keys): Buffer {
  return Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
}

/** Whether a login attempt is made with this ed25519 key; where it is signed, the signature must be right. */
export function isAllowed(context: AuthContext, allowed: Buffer): boolean {
  if (context.method !== 'publickey' || !context.key.data.equals(allowed)) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  const key = ssh2.utils.parseKey(Buffer.from(`ssh-ed25519 ${allowed.toString('base64')}`));
  if (key instanceof Error) return false;
  const parsed = Array.isArray(key) ? key[0] : key;
  return parsed?.verify(context.blob, context.signature, context.hashAlgo) === true;
}

import ssh2, { type AuthenticationType, type AuthHandlerMiddleware } from 'ssh2';
import type { AuthMethod, Credentials } from '../events/index.ts';

/** The ways to log in, one after another, and which were tried. */
export interface Authentication {
  readonly handler: AuthHandlerMiddleware;
  /** In order, the last one being the one that was accepted, if any was. */
  readonly tried: readonly AuthMethod[];
  /** Why private keys were not offered at all. */
  readonly unusable: readonly string[];
}

/** Offers each private key, then the agent's, then the password, also to servers that ask for it by a question. */
export function authenticate(login: string, credentials: Credentials): Authentication {
  const tried: AuthMethod[] = [];
  const unusable: string[] = [];
  const offers: { method: AuthMethod; offer: Record<string, unknown> & { type: AuthenticationType } }[] = [];
  const { privateKeys = [], passphrase, agent, password } = credentials;
  for (const [index, key] of privateKeys.entries()) {
    const why = unusableKey(key, passphrase);
    if (why !== null) unusable.push(`private key ${index + 1} was not offered: ${why}`);
    else
      offers.push({
        method: 'publickey',
        offer: { type: 'publickey', key, ...(passphrase === undefined ? {} : { passphrase }) },
      });
  }
  if (agent !== undefined) offers.push({ method: 'agent', offer: { type: 'agent', agent } });
  if (password !== undefined) {
    offers.push({ method: 'password', offer: { type: 'password', password } });
    const answer = (
      _name: string,
      _text: string,
      _lang: string,
      prompts: unknown[],
      finish: (answers: string[]) => void,
    ) => finish(prompts.map(() => password));
    offers.push({ method: 'password', offer: { type: 'keyboard-interactive', prompt: answer } });
  }
  if (offers.length === 0) offers.push({ method: 'none', offer: { type: 'none' } });
  const handler = (_left: unknown, _partial: unknown, next: (result: never) => void) => {
    const candidate = offers.shift();
    if (candidate === undefined) return next(false as never);
    tried.push(candidate.method);
    next({ ...candidate.offer, username: login } as never);
  };
  return { handler: handler as unknown as AuthHandlerMiddleware, tried, unusable };
}

/** ssh2 passes over a key that it cannot read without a word. Null where it can. */
function unusableKey(key: string, passphrase: string | undefined): string | null {
  const parsed = ssh2.utils.parseKey(key, passphrase);
  if (parsed instanceof Error) return parsed.message;
  const [first] = [parsed].flat();
  return first?.isPrivateKey() === true ? null : 'it is no private key';
}

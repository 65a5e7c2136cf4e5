import type { Client, ParsedKey } from 'ssh2';

type Ask = (
  login: string,
  key: ParsedKey,
  algorithm: string | undefined,
  sign?: (data: Buffer, done: (signature: Buffer) => void) => void,
) => void;

/**
 * Has a client sign its first request with a key of its own, rather than ask first whether the key would do (RFC 4252,
 * section 7: either may come first). sshd(8) takes 5 to 10 ms for each request, so that it cannot be told from how long it
 * takes who may log in. Keys with a choice of algorithms, as RSA's, and those of an agent are asked about as ever.
 *
 * ssh2 has no option for this. Where it is made otherwise than it is now, it goes on asking.
 */
export function signAtOnce(client: Client): void {
  const protocol = (client as unknown as { _protocol?: { authPK?: Ask } })._protocol;
  const ask = protocol?.authPK;
  if (protocol === undefined || typeof ask !== 'function') return;
  protocol.authPK = (login, key, algorithm, sign) => {
    const plain = () => ask.call(protocol, login, key, algorithm, sign);
    if (sign !== undefined || algorithm !== undefined || !key.isPrivateKey()) return plain();
    ask.call(protocol, login, key, algorithm, (data, done) => {
      // ssh2's types leave out that it gives an error in place of a signature.
      const signature: Buffer | Error = key.sign(data);
      if (signature instanceof Error) plain();
      else done(signature);
    });
  };
}

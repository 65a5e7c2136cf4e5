import ssh2 from 'ssh2';
import { expect, test } from 'vitest';
import { generateKeyPair } from '../../../src/driver/index.ts';

test('every key that is made can be used', () => {
  // ssh2 alone makes one in 256 that it cannot read back.
  for (let made = 0; made < 600; made++) {
    const { privateKey, publicKey } = generateKeyPair();
    expect(ssh2.utils.parseKey(privateKey)).not.toBeInstanceOf(Error);
    expect(ssh2.utils.parseKey(publicKey)).not.toBeInstanceOf(Error);
  }
});

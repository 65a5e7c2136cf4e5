import { createHash } from 'node:crypto';

/** Text that is no key of OpenPGP's; the message says why. */
export class NoKeyError extends Error {
  override readonly name = 'NoKeyError';
}

const ARMOUR = /-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/;

/** Number of the packet that holds a public key (RFC 9580, 5.5.1.1). */
const PUBLIC_KEY = 6;

/**
 * Fingerprint of the first key of an ASCII-armoured text (RFC 9580, 5.5.4), in capital hexadecimal digits. Pure.
 * @throws NoKeyError
 */
export function fingerprintOf(armoured: string): string {
  const [, inside] = ARMOUR.exec(armoured) ?? [];
  if (inside === undefined) throw new NoKeyError('it has no block of a public key');
  // Headers stand before the first empty line, and a checksum at the end.
  const body = inside.replace(/^(?:[\w-]+:.*\r?\n)+/, '').replace(/^=[A-Za-z0-9+/]{4}\s*$/m, '');
  if (!/^[A-Za-z0-9+/=\s]+$/.test(body)) throw new NoKeyError('its block is not in base64');
  const packet = firstPacket(Buffer.from(body, 'base64'));
  const [version] = packet;
  const length = Buffer.alloc(version === 4 ? 2 : 4);
  if (version === 4) {
    length.writeUInt16BE(packet.length);
    return digest('sha1', 0x99, length, packet);
  }
  if (version !== 6) throw new NoKeyError(`its key is of version ${version}, and only 4 and 6 are known`);
  length.writeUInt32BE(packet.length);
  return digest('sha256', 0x9b, length, packet);
}

function digest(kind: string, mark: number, length: Buffer, packet: Buffer): string {
  const sum = createHash(kind)
    .update(Buffer.from([mark]))
    .update(length)
    .update(packet);
  return sum.digest('hex').toUpperCase();
}

/** The body of the first packet (RFC 9580, 4.2), which has to be a public key. */
function firstPacket(bytes: Buffer): Buffer {
  const [head = 0, first = 0] = bytes;
  if ((head & 0x80) === 0) throw new NoKeyError('its block has no packet of OpenPGP');
  const isNew = (head & 0x40) !== 0;
  if ((isNew ? head & 0x3f : (head >> 2) & 0x0f) !== PUBLIC_KEY)
    throw new NoKeyError('its block begins with no public key');
  const [octets, length] = isNew ? newLength(bytes, first) : oldLength(bytes, head & 3);
  const start = 1 + octets;
  if (length === 0 || bytes.length < start + length) throw new NoKeyError('its block ends within the key');
  return bytes.subarray(start, start + length);
}

type Length = readonly [octets: number, length: number];

function newLength(bytes: Buffer, first: number): Length {
  if (first < 192) return [1, first];
  if (first < 224) return [2, ((first - 192) << 8) + (bytes[2] ?? 0) + 192];
  if (first === 255 && bytes.length > 6) return [5, bytes.readUInt32BE(2)];
  throw new NoKeyError('its key has no length');
}

function oldLength(bytes: Buffer, kind: number): Length {
  if (kind === 3 || bytes.length < 6) throw new NoKeyError('its key has no length');
  return [1 << kind, bytes.readUIntBE(1, 1 << kind)];
}

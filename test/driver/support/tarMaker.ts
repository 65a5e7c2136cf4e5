/** A member of an archive as nobody but a test would make it. */
export interface MemberPlan {
  readonly name: string;
  /** The typeflag; a regular file if absent. */
  readonly type?: string;
  readonly link?: string;
  readonly data?: Buffer;
  /** A size other than that of the data. */
  readonly size?: number;
  /** The size field as it shall stand there. */
  readonly rawSize?: string;
  /** A wrong checksum. */
  readonly broken?: boolean;
}

/** The header, in GNU's format, and the padded data of one member. */
export function member({
  name,
  type = '0',
  link = '',
  data = Buffer.alloc(0),
  size = data.length,
  rawSize,
  broken = false,
}: MemberPlan): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(rawSize ?? `${size.toString(8).padStart(11, '0')}`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157, 100, 'latin1');
  header.write('ustar  \0', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, broken ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

/** An archive of members, with its end. */
export function archive(...members: readonly Buffer[]): Buffer {
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

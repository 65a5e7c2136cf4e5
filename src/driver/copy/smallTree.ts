import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Above either, a tree is not small: to start tar(1) takes this process longer than to read what is below. */
const MOST_MEMBERS = 200;
const MOST_BYTES = 256 * 1024;

const BLOCK = 512;
/** Archives are as long as a whole number of tar's records. */
const RECORD = 20 * BLOCK;

/**
 * The archive of a directory's contents, byte for byte as GNU tar makes it with `--format=gnu --numeric-owner
 * --sort=name`. Null where that is better left to tar: the tree is large, holds what takes more than one plain header
 * (hard links, holes, devices, long names), or something is wrong with it.
 * @param readable all may read what it holds, as with `--mode=a+rX`
 */
export function packSmallTree(directory: string, readable: boolean): Buffer | null {
  try {
    // The directory itself may be named by a symbolic link, which tar's -C follows.
    return new Packer(readable).pack(Buffer.from(`${directory.replace(/\/*$/, '')}/.`));
  } catch {
    // Tar tells what it is.
    return null;
  }
}

class NotSmall extends Error {}

class Packer {
  readonly #readable: boolean;
  readonly #parts: Buffer[] = [];
  #members = 0;
  #bytes = 0;

  constructor(readable: boolean) {
    this.#readable = readable;
  }

  pack(directory: Buffer): Buffer {
    this.#add(directory, Buffer.from('.'));
    const length = this.#parts.reduce((sum, part) => sum + part.length, 0) + 2 * BLOCK;
    return Buffer.concat(this.#parts, Math.ceil(length / RECORD) * RECORD);
  }

  /** @param name what the file at the path is called in the archive */
  #add(path: Buffer, name: Buffer): void {
    this.#members += 1;
    if (this.#members > MOST_MEMBERS) throw new NotSmall();
    const stat = lstatSync(path, { bigint: true });
    if (stat.isDirectory()) {
      this.#header({ ...stat, name: Buffer.concat([name, Buffer.from('/')]), type: '5', size: 0n });
      for (const entry of readdirSync(path, { encoding: 'buffer' }).toSorted(Buffer.compare))
        this.#add(below(path, entry), below(name, entry));
    } else if (stat.isSymbolicLink()) {
      const target = readlinkSync(path, { encoding: 'buffer' });
      this.#header({ ...stat, name, type: '2', size: 0n, target });
    } else if (stat.isFile() && stat.nlink === 1n && stat.blocks * 512n >= stat.size) {
      if (this.#bytes + Number(stat.size) > MOST_BYTES) throw new NotSmall();
      const contents = readFileSync(path);
      // It grows, or shrinks, as it is read.
      if (BigInt(contents.length) !== stat.size) throw new NotSmall();
      this.#bytes += contents.length;
      this.#header({ ...stat, name, type: '0' });
      this.#parts.push(contents, Buffer.alloc(-contents.length & (BLOCK - 1)));
    } else {
      throw new NotSmall();
    }
  }

  #header({ name, type, mode, uid, gid, size, mtimeNs, target = Buffer.alloc(0) }: Member): void {
    if (mtimeNs < 0n) throw new NotSmall();
    const header = Buffer.alloc(BLOCK);
    put(header, 0, 100, name);
    putNumber(header, 100, 8, this.#readable && type !== '2' ? readableMode(mode, type) : mode & 0o7777n);
    putNumber(header, 108, 8, uid);
    putNumber(header, 116, 8, gid);
    putNumber(header, 124, 12, size);
    putNumber(header, 136, 12, mtimeNs / 1_000_000_000n);
    // Its checksum is made with blanks in the place of that.
    header.write('        ', 148);
    header.write(type, 156);
    put(header, 157, 100, target);
    header.write('ustar  ', 257);
    putNumber(
      header,
      148,
      7,
      header.reduce((sum, byte) => sum + BigInt(byte), 0n),
    );
    this.#parts.push(header);
  }
}

interface Member {
  readonly name: Buffer;
  /** As in its header: a file, a link, or a directory. */
  readonly type: '0' | '2' | '5';
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly target?: Buffer;
}

function below(directory: Buffer, entry: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), entry]);
}

function readableMode(mode: bigint, type: Member['type']): bigint {
  const searched = type === '5' || (mode & 0o111n) !== 0n;
  return (mode & 0o7777n) | 0o444n | (searched ? 0o111n : 0n);
}

/** As many bytes as there is room, with no zero after them: GNU tar takes all hundred for a name. */
function put(header: Buffer, at: number, room: number, bytes: Buffer): void {
  if (bytes.length > room) throw new NotSmall();
  bytes.copy(header, at);
}

/** Octal digits and a zero. */
function putNumber(header: Buffer, at: number, room: number, value: bigint): void {
  if (value < 0n || value >= 1n << BigInt(3 * (room - 1))) throw new NotSmall();
  header.write(value.toString(8).padStart(room - 1, '0'), at);
  header[at + room - 1] = 0;
}

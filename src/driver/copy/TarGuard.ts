import { Transform, type TransformCallback } from 'node:stream';
import { isSound, type Member, readHeader, textOf } from './tarHeader.ts';

const BLOCK = 512;
/** Bytes of a long name that are believed. */
const LONGEST_NAME = 1024 * 1024;

/** An archive that no honest tar makes: it would write outside of the directory it is unpacked in. */
export class HostileArchiveError extends Error {
  override readonly name = 'HostileArchiveError';
  readonly member: string;
  constructor(member: string, why: string) {
    super(`the testbed sent an archive that must not be unpacked: ${JSON.stringify(member)} ${why}`);
    this.member = member;
  }
}

interface Extra {
  kind: string;
  left: number;
  size: number;
  chunks: Buffer[];
}

/**
 * Lets a tar archive of GNU's format through while looking at every member's header (long names and sparse files
 * included), and fails at the first that could reach outside of where it is unpacked, before its header is let
 * through. Whatever tar might read otherwise than we do, broken headers and pax headers above all, was not asked for
 * and is refused as well.
 */
export class TarGuard extends Transform {
  #header = Buffer.alloc(0);
  /** Bytes of the member in hand that just pass. */
  #passing = 0;
  /** Bytes of an extra header being collected, and what it is. */
  #extra: Extra | null = null;
  #next: { path?: string; linkPath?: string } = {};
  #sparseMore = false;
  #links = new Set<string>();

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#scan(chunk);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  #scan(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#passing > 0) {
        const step = Math.min(this.#passing, chunk.length - at);
        this.#passing -= step;
        at += step;
      } else if (this.#extra !== null) at += this.#collect(this.#extra, chunk.subarray(at));
      else {
        const step = Math.min(BLOCK - this.#header.length, chunk.length - at);
        const part = chunk.subarray(at, at + step);
        at += step;
        const block = this.#header.length === 0 ? part : Buffer.concat([this.#header, part]);
        if (block.length < BLOCK) this.#header = Buffer.from(block);
        else {
          this.#header = Buffer.alloc(0);
          this.#block(block);
        }
      }
    }
  }

  #collect(extra: Extra, rest: Buffer): number {
    const step = Math.min(extra.left, rest.length);
    extra.chunks.push(Buffer.from(rest.subarray(0, step)));
    extra.left -= step;
    if (extra.left === 0) {
      this.#extra = null;
      this.#apply(extra.kind, Buffer.concat(extra.chunks).subarray(0, extra.size));
    }
    return step;
  }

  #block(block: Buffer): void {
    if (this.#sparseMore) {
      this.#sparseMore = block[504] === 1;
      return;
    }
    const member = readHeader(block);
    if (member === null) return;
    if (!isSound(block) || !Number.isSafeInteger(member.size))
      throw new HostileArchiveError(member.path, 'has a broken header');
    if ('LK'.includes(member.type)) {
      if (member.size > LONGEST_NAME) throw new HostileArchiveError(member.path, `has a name of ${member.size} bytes`);
      this.#extra = { kind: member.type, left: padded(member.size), size: member.size, chunks: [] };
      return;
    }
    const { size } = member;
    const { path = member.path, linkPath = member.linkPath } = this.#next;
    this.#next = {};
    this.#check({ ...member, path, linkPath });
    this.#sparseMore = member.type === 'S' && block[482] === 1;
    const carries = '07S'.includes(member.type);
    // A size on anything else, or a file that calls itself a directory, would let the reader and us disagree.
    if (carries ? path.endsWith('/') : size !== 0)
      throw new HostileArchiveError(path, 'has bytes that its kind cannot have');
    this.#passing = carries ? padded(size) : 0;
  }

  #apply(kind: string, body: Buffer): void {
    if (kind === 'L') this.#next.path = textOf(body, 0, body.length);
    else this.#next.linkPath = textOf(body, 0, body.length);
  }

  #check({ path, linkPath, type }: Member): void {
    this.#inside(path, path);
    switch (type) {
      case '0':
      case '7':
      case 'S':
      case '5':
        if (this.#links.size > 0) this.#links.delete(normalOf(path));
        return;
      case '1':
        this.#inside(linkPath, path);
        if (this.#links.has(normalOf(linkPath)))
          throw new HostileArchiveError(path, `is a hard link to the symbolic link ${linkPath}`);
        return;
      case '2':
        this.#links.add(normalOf(path));
        return;
      case '6':
        return;
      default:
        throw new HostileArchiveError(
          path,
          `is of kind ${JSON.stringify(type)} (a device, or nothing that was asked for)`,
        );
    }
  }

  /** @throws HostileArchiveError for a name that could lead out of where the archive is unpacked */
  #inside(path: string, member: string): void {
    if (path.startsWith('/')) throw new HostileArchiveError(member, 'has an absolute name');
    // In most archives nothing leads elsewhere: the names need not be taken apart then.
    if (this.#links.size === 0 && !path.includes('..')) return;
    const parts = partsOf(path);
    if (parts.includes('..')) throw new HostileArchiveError(member, 'has .. in its name');
    let above = '';
    for (const part of parts.slice(0, -1)) {
      above = above === '' ? part : `${above}/${part}`;
      if (this.#links.has(above)) throw new HostileArchiveError(member, `lies behind the symbolic link ${above}`);
    }
  }
}

/** A name without what says nothing: `./a//b` is `a/b`. */
function normalOf(path: string): string {
  return partsOf(path).join('/');
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

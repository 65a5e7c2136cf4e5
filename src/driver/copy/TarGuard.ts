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
 * and is refused as well. Devices are refused too or, where somebody wants to hear of them, taken out.
 */
export class TarGuard extends Transform {
  readonly #onLeftOut: ((member: string) => void) | null;
  #header = Buffer.alloc(0);
  /** Bytes of the member in hand that just pass. */
  #passing = 0;
  /** Bytes of an extra header being collected, and what it is. */
  #extra: Extra | null = null;
  #next: { path?: string; linkPath?: string } = {};
  #sparseMore = false;
  #links = new Set<string>();
  #leftOut = new Set<string>();
  /** Headers of a member that is not decided yet, from earlier chunks. */
  #held: Buffer[] = [];

  /** @param onLeftOut is told of each device that is taken out; with null they are refused */
  constructor(onLeftOut: ((member: string) => void) | null = null) {
    super();
    this.#onLeftOut = onLeftOut;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#scan(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  /** What was cut off is for tar to complain of: nothing comes of half a header. */
  override _flush(done: TransformCallback): void {
    this.#release();
    done();
  }

  #release(): void {
    for (const part of this.#held) this.push(part);
    this.#held = [];
  }

  #scan(chunk: Buffer): void {
    let at = 0;
    /** From where nothing was let through yet, and where the headers of the member in hand begin. */
    let from = 0;
    let member: number | null = this.#held.length > 0 ? 0 : null;
    while (at < chunk.length) {
      if (this.#passing > 0) {
        const step = Math.min(this.#passing, chunk.length - at);
        this.#passing -= step;
        at += step;
        continue;
      }
      member ??= at;
      if (this.#extra !== null) {
        at += this.#collect(this.#extra, chunk.subarray(at));
        continue;
      }
      const step = Math.min(BLOCK - this.#header.length, chunk.length - at);
      const part = chunk.subarray(at, at + step);
      at += step;
      const block = this.#header.length === 0 ? part : Buffer.concat([this.#header, part]);
      if (block.length < BLOCK) {
        this.#header = Buffer.from(block);
        continue;
      }
      this.#header = Buffer.alloc(0);
      const decision = this.#block(block);
      if (decision === 'undecided') continue;
      if (decision === 'pass') this.#release();
      else {
        this.push(chunk.subarray(from, member));
        this.#held = [];
        from = at;
      }
      member = null;
    }
    if (member === null) this.push(chunk.subarray(from));
    else {
      this.push(chunk.subarray(from, member));
      this.#held.push(Buffer.from(chunk.subarray(member)));
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

  #block(block: Buffer): 'pass' | 'leave-out' | 'undecided' {
    if (this.#sparseMore) {
      this.#sparseMore = block[504] === 1;
      return 'pass';
    }
    const member = readHeader(block);
    if (member === null) return 'pass';
    if (!isSound(block) || !Number.isSafeInteger(member.size))
      throw new HostileArchiveError(member.path, 'has a broken header');
    if ('LK'.includes(member.type)) {
      if (member.size > LONGEST_NAME) throw new HostileArchiveError(member.path, `has a name of ${member.size} bytes`);
      this.#extra = { kind: member.type, left: padded(member.size), size: member.size, chunks: [] };
      return 'undecided';
    }
    const { size } = member;
    const { path = member.path, linkPath = member.linkPath } = this.#next;
    this.#next = {};
    if (this.#leavesOut({ ...member, path, linkPath })) return 'leave-out';
    this.#check({ ...member, path, linkPath });
    this.#sparseMore = member.type === 'S' && block[482] === 1;
    const carries = '07S'.includes(member.type);
    // A size on anything else, or a file that calls itself a directory, would let the reader and us disagree.
    if (carries ? path.endsWith('/') : size !== 0)
      throw new HostileArchiveError(path, 'has bytes that its kind cannot have');
    this.#passing = carries ? padded(size) : 0;
    return 'pass';
  }

  /** Devices, and further names of them: on another machine they would be doors to something else. */
  #leavesOut({ path, linkPath, type, size }: Member): boolean {
    const isDevice = '34'.includes(type) || (type === '1' && this.#leftOut.has(normalOf(linkPath)));
    if (this.#onLeftOut === null || !isDevice || size !== 0) return false;
    this.#leftOut.add(normalOf(path));
    this.#onLeftOut(Buffer.from(normalOf(path), 'latin1').toString());
    return true;
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

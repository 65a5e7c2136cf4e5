import { type FileHandle, open } from 'node:fs/promises';
import { livenessOf, readTrace, TraceError } from '../trace/index.ts';
import { changesOf } from './changes.ts';
import type { Notice } from './contract.ts';

/** Where the page gets a run's lines and bytes from. */
export interface Source {
  /** The run's lines in blocks, each line with its end; notices are among them. Ends when no more can come. */
  lines(signal: AbortSignal): AsyncGenerator<string>;
  /** Bytes of a stream; fewer where it has fewer. */
  bytes(stream: string, from: number, to: number): Promise<Uint8Array>;
}

/** A trace on disk: all that is in it, and, while its run goes, what is added. */
export class TraceSource implements Source {
  readonly #path: string;
  readonly #follow: boolean;

  /** @param path its directory; `follow`: whether what is added later comes too (default true) */
  constructor(path: string, { follow = true }: { follow?: boolean } = {}) {
    this.#path = path;
    this.#follow = follow;
  }

  async *lines(signal: AbortSignal): AsyncGenerator<string> {
    let problem: string | null = null;
    try {
      const trace = await readTrace(this.#path);
      yield `${JSON.stringify(trace.header)}\n`;
      const lives = () => livenessOf(trace.header.owner) === 'alive';
      let concluded = false;
      for await (const lines of trace.batches()) {
        if (signal.aborted) return;
        concluded ||= lines.some((line) => 'type' in line && line.type === 'run.concluded');
        yield `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
      }
      const end = trace.end;
      if (this.#follow && !concluded && end !== null && lives()) {
        yield notice({ i: 'live' });
        yield* this.#added(trace.file, end.bytes, lives, signal);
      } else if (end?.truncated) problem = 'The last line of the trace is cut off and was left out.';
    } catch (error) {
      if (!(error instanceof TraceError)) throw error;
      problem = error.message;
    }
    yield notice({ i: 'end', problem });
  }

  async bytes(stream: string, from: number, to: number): Promise<Uint8Array> {
    const trace = await readTrace(this.#path);
    let file: FileHandle;
    try {
      file = await open(trace.streamFile(stream), 'r');
    } catch {
      // A stream to which nothing was written has no file.
      return new Uint8Array();
    }
    try {
      const buffer = Buffer.alloc(Math.max(0, to - from));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  /** What is added to the file, in whole lines, until the run has ended or its writer is gone. */
  async *#added(path: string, from: number, lives: () => boolean, signal: AbortSignal): AsyncGenerator<string> {
    const file = await open(path, 'r');
    try {
      let position = from;
      let rest = Buffer.alloc(0);
      for await (const _ of changesOf(path, signal)) {
        const alive = lives();
        for (;;) {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, position);
          if (bytesRead === 0) break;
          position += bytesRead;
          const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
          const end = bytes.lastIndexOf(0x0a) + 1;
          rest = bytes.subarray(end);
          if (end === 0) continue;
          const text = bytes.toString('utf8', 0, end);
          yield text;
          if (text.includes('"type":"run.concluded"')) return;
        }
        if (!alive) return;
      }
    } finally {
      await file.close();
    }
  }
}

const CHUNK = 256 * 1024;

function notice(value: Notice): string {
  return `${JSON.stringify(value)}\n`;
}

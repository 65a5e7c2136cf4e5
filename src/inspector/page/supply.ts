import type { PageInfo, Report, StreamPiece } from '../contract.ts';
import type { StreamPart } from '../model/kept.ts';

/** A piece of a stream as the page got it. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where the page gets everything from: the server it came from, or the report that it stands in. */
export interface Supply {
  readonly info: PageInfo;
  /** Hands a run's lines over as they come, many at a time. Ends when no more can come. */
  lines(run: number, take: (lines: string[]) => void): Promise<void>;
  /** What there is of a stream between two offsets. */
  bytes(run: number, stream: string, from: number, to: number): Promise<readonly Piece[]>;
  /** Takes these parts of a run that has ended, for the server may end with it. */
  keep(run: number, parts: readonly StreamPart[]): Promise<void>;
}

/** The report in this page, or else the server. @throws Error saying what is wrong with it */
export async function openSupply(): Promise<Supply> {
  const report = document.getElementById('report')?.textContent;
  return report ? reported(await unpack(report)) : await served();
}

async function served(): Promise<Supply> {
  const info: PageInfo = await (await get('info')).json();
  const page = crypto.randomUUID();
  const pieces = new Map<string, Piece[]>();
  const asking = new Set<Promise<readonly Piece[]>>();
  const fetched = async (run: number, stream: string, from: number, to: number): Promise<Piece[]> => {
    const response = await get(`bytes/${run}?stream=${encodeURIComponent(stream)}&from=${from}&to=${to}`);
    return [{ offset: from, bytes: new Uint8Array(await response.arrayBuffer()) }];
  };
  return {
    info,
    async lines(run, take) {
      const { body } = await get(`lines/${run}?page=${page}-${run}`);
      if (body === null) throw new Error('the server sent nothing');
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (rest + value).split('\n');
        rest = lines.pop() ?? '';
        if (lines.length > 0) take(lines);
      }
    },
    async bytes(run, stream, from, to) {
      const kept = pieces.get(`${run} ${stream}`) ?? [];
      if (kept.some(({ offset, bytes }) => offset <= from && to <= offset + bytes.length)) return kept;
      // A server that has ended has nothing more: then what is here is all.
      const asked = fetched(run, stream, from, to)
        .catch(() => kept)
        .finally(() => asking.delete(asked));
      asking.add(asked);
      return await asked;
    },
    async keep(run, parts) {
      for (const { stream, from, to } of parts) {
        const piece = await fetched(run, stream, from, to);
        pieces.set(`${run} ${stream}`, [...(pieces.get(`${run} ${stream}`) ?? []), ...piece]);
      }
      await Promise.all(asking);
      await get(`kept?page=${page}-${run}`);
    },
  };
}

async function get(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`the server answered ${response.status}: ${await response.text()}`);
  return response;
}

async function unpack(base64: string): Promise<Report> {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return await new Response(stream).json();
}

function reported({ info, runs }: Report): Supply {
  return {
    info,
    lines(run, take) {
      take(runs[run]?.lines.split('\n') ?? []);
      return Promise.resolve();
    },
    bytes(run, stream, from, to) {
      return Promise.resolve((runs[run]?.streams[stream] ?? []).flatMap((piece) => part(piece, from, to)));
    },
    keep: () => Promise.resolve(),
  };
}

function part({ offset, bytes }: StreamPiece, from: number, to: number): Piece[] {
  const text = bytes.slice(Math.max(0, from - offset), Math.max(0, to - offset));
  if (text === '') return [];
  return [{ offset: Math.max(from, offset), bytes: Uint8Array.from(text, (character) => character.charCodeAt(0)) }];
}

import { deflateRawSync } from 'node:zlib';
import { readTrace } from '../trace/index.ts';
import { loadAssets } from './assets.ts';
import type { Report, StreamPiece } from './contract.ts';
import { exportedPage } from './html.ts';
import { comparisonOf, infoOf, titleOf } from './inspectTraces.ts';
import { partsKept } from './model/kept.ts';
import { TraceSource } from './TraceSource.ts';

/**
 * The page over traces as one file that needs nothing else: no server and no network.
 * @throws TraceError where there is no trace, or two cannot be compared
 */
export async function exportReport(traces: readonly string[]): Promise<string> {
  // A page that only says that there is no trace is no report.
  for (const trace of traces) await readTrace(trace);
  const report: Report = {
    info: infoOf(traces, await comparisonOf(traces), true),
    runs: await Promise.all(traces.map(contentOf)),
  };
  const packed = deflateRawSync(JSON.stringify(report), { level: 9 }).toString('base64');
  return exportedPage(titleOf(traces), loadAssets(), packed);
}

async function contentOf(path: string): Promise<Report['runs'][number]> {
  const source = new TraceSource(path, { follow: false });
  const blocks: string[] = [];
  const sizes = new Map<string, number>();
  for await (const block of source.lines(new AbortController().signal)) {
    blocks.push(block);
    for (const line of block.split('\n')) {
      if (!line.includes('"command.output"')) continue;
      const { command, stream, offset, bytes } = JSON.parse(line);
      const name = `${command}.${stream}`;
      sizes.delete(name);
      sizes.set(name, offset + bytes);
    }
  }
  const streams: Record<string, StreamPiece[]> = {};
  for (const { stream, from, to } of partsKept(sizes)) {
    const bytes = Buffer.from(await source.bytes(stream, from, to)).toString('latin1');
    streams[stream] = [...(streams[stream] ?? []), { offset: from, bytes }];
  }
  return { lines: blocks.join(''), streams };
}

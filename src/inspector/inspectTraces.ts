import { basename } from 'node:path';
import { VERSION } from '../events/index.ts';
import { type Comparison, compare, readTrace } from '../trace/index.ts';
import { loadAssets } from './assets.ts';
import type { PageInfo } from './contract.ts';
import { type ServedPage, servePage } from './server.ts';
import { TraceSource } from './TraceSource.ts';

/**
 * Serves a page over one trace, or over two to compare, the good one first: directories of traces, which may still be
 * written.
 * @param port 0 takes any free one
 * @throws TraceError where two cannot be compared; Error where the port cannot be had
 */
export async function inspectTraces(traces: readonly string[], port = 0): Promise<ServedPage> {
  return await servePage({
    info: infoOf(traces, await comparisonOf(traces), false),
    sources: traces.map((path) => new TraceSource(path)),
    title: titleOf(traces),
    port,
  });
}

/** How the first of two traces differs from the second; null where there is one. */
export async function comparisonOf([good, bad]: readonly string[]): Promise<Comparison | null> {
  return good === undefined || bad === undefined ? null : await compare(await readTrace(good), await readTrace(bad));
}

/** What a page over these traces is called. Pure. */
export function titleOf(traces: readonly string[]): string {
  return `Trundle: ${traces.map(nameOf).join(' and ')}`;
}

/** What a page over these traces is told first. */
export function infoOf(traces: readonly string[], comparison: Comparison | null, exported: boolean): PageInfo {
  return {
    trundle: VERSION,
    runs: traces.map((path) => ({ name: nameOf(path), path: exported ? null : path })),
    charts: loadAssets().charts,
    comparison,
    exported,
  };
}

/** A trace by the last part of its path that says something. */
function nameOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== 'trace');
  return parts.at(-1) ?? basename(path);
}

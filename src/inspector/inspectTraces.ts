import { basename } from 'node:path';
import { VERSION } from '../events/index.ts';
import { loadAssets } from './assets.ts';
import type { Comparison, PageInfo } from './contract.ts';
import { type ServedPage, servePage } from './server.ts';
import { TraceSource } from './TraceSource.ts';

/** How traces are shown. */
export interface InspectOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly comparison?: Comparison | null;
}

/** Serves a page over one trace, or over two to compare: directories of traces, which may still be written. */
export async function inspectTraces(traces: readonly string[], options: InspectOptions = {}): Promise<ServedPage> {
  return await servePage({
    info: infoOf(traces, options.comparison ?? null, false),
    sources: traces.map((path) => new TraceSource(path)),
    title: `Trundle: ${traces.map((path) => basename(path)).join(' and ')}`,
    port: options.port ?? 0,
  });
}

/** What a page over these traces is told first. */
export function infoOf(traces: readonly string[], comparison: Comparison | null, exported: boolean): PageInfo {
  return {
    trundle: VERSION,
    runs: traces.map((path) => ({ name: basename(path), path: exported ? null : path })),
    charts: loadAssets().charts,
    comparison,
    exported,
  };
}

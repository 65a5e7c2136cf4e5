import type { Comparison } from '../trace/pure.ts';

/** What server and page tell each other. Plain data: it also stands inside an exported report. */

/** A state's place in a chart, in the chart's own pixels. */
export interface ChartBox {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A machine's statechart, laid out and drawn. */
export interface ChartPicture {
  /** What instances of the machine are called before the colon, as in `connection:tb1.c1`. */
  readonly kind: string;
  readonly title: string;
  readonly about: string;
  readonly width: number;
  readonly height: number;
  /** The inside of an SVG element. */
  readonly svg: string;
  readonly boxes: readonly ChartBox[];
  /** States after which the machine is done. */
  readonly finals: readonly string[];
}

/** A trace that the page can show. */
export interface RunInfo {
  /** What a person called it. */
  readonly name: string;
  /** Its directory; null where it has none, or where it is not said. */
  readonly path: string | null;
}

/** What a page is told first. */
export interface PageInfo {
  readonly trundle: string;
  /** One, or two to compare: the good one first. */
  readonly runs: readonly RunInfo[];
  readonly charts: readonly ChartPicture[];
  /** How two traces differ; null where there is one. */
  readonly comparison: Comparison | null;
  /** Whether the page is a file of its own, without a server. */
  readonly exported: boolean;
}

/** A line that the server puts among those of a trace: what is not in the trace itself. */
export type Notice =
  /** All that was recorded so far has been sent; the run still goes, and what comes follows. */
  | { readonly i: 'live' }
  /** Nothing more will come. `problem` says what is wrong with the trace, where something is. */
  | { readonly i: 'end'; readonly problem: string | null }
  /** A machine that this page has no chart of. */
  | { readonly i: 'chart'; readonly chart: ChartPicture }
  /** A machine of which no chart could be made. */
  | { readonly i: 'chartless'; readonly kind: string; readonly problem: string };

/** A piece of a stream's bytes in a report, each byte a character. */
export interface StreamPiece {
  readonly offset: number;
  readonly bytes: string;
}

/** All that is in an exported report. */
export interface Report {
  readonly info: PageInfo;
  readonly runs: readonly {
    /** Lines as the server would send them. */
    readonly lines: string;
    readonly streams: Readonly<Record<string, readonly StreamPiece[]>>;
  }[];
}

/** What a line of text in a picture speaks of; a picture marks each kind in its own way. */
export type LineKind =
  /** An event that makes the machine move. */
  | 'event'
  /** A deadline: one that starts, where it stands in a state, or one that passed, where it stands at an edge. */
  | 'deadline'
  /** A command to the edges. */
  | 'command'
  /** A fact that the machine adds to the trace. */
  | 'fact'
  /** Anything else in words. */
  | 'words'
  /** The rest of the line before, which was too long. */
  | 'more';

/** One line of text in a picture. */
export interface Line {
  readonly kind: LineKind;
  readonly text: string;
}

/** A state as a picture shows it. */
export interface ChartState {
  /** Path of the state in its machine, as in `ready.executing`. */
  readonly id: string;
  readonly name: string;
  readonly kind: 'state' | 'final' | 'note';
  /** What happens on entering it, and what it does without leaving. */
  readonly lines: readonly Line[];
  readonly children: readonly ChartState[];
  /** Whether the machine, or the state around it, begins here. */
  readonly initial: boolean;
}

/** One or more transitions between two states, drawn as one arrow. */
export interface ChartEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly lines: readonly Line[];
  /** Which arrows are dashed, and why: only a deadline leads there, or something that nobody expected. */
  readonly style: 'event' | 'deadline' | 'unexpected';
}

/** A machine as a person wants to see it: its life cycle, with what is everywhere the same folded into notes. */
export interface Chart {
  readonly name: string;
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
  /** Pairs of states of which the first stands above the second, besides those that an arrow says it of. */
  readonly order: readonly (readonly [string, string])[];
  /** What the picture says in words because arrows would hide the rest. */
  readonly footnotes: readonly string[];
}

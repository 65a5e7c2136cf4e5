import { batch, computed, signal } from '@preact/signals';
import type { TrundleEvent } from '../../events/index.ts';
import { describeEvent } from '../../trace/pure.ts';
import { nextOf } from '../model/failures.ts';
import { Finder } from '../model/filter.ts';
import { partsKept } from '../model/kept.ts';
import { lastAtMost, RunModel } from '../model/RunModel.ts';
import type { Supply } from './supply.ts';

/** One run on the page, with where its reader is in it. */
export class View {
  readonly model: RunModel;
  readonly finder: Finder;
  readonly index: number;
  /** Changes whenever lines came in. */
  readonly version = signal(0);
  /** Seq of the event that everything else is shown at; 0 before the first. */
  readonly cursor = signal(0);
  /** Whether the cursor moves on with a live run. */
  readonly follow = signal(true);
  /** What is wrong with the supply itself. */
  readonly trouble = signal<string | null>(null);
  /** Milliseconds of the page's clock at which the last line came. */
  lastLine = 0;

  constructor(supply: Supply, index: number) {
    this.index = index;
    this.model = new RunModel(supply.info.charts);
    this.finder = new Finder(this.model, sentence);
  }

  /** Takes the run's lines in until there are no more. */
  async read(supply: Supply): Promise<void> {
    let drawn = false;
    let wasLive = false;
    const show = () => {
      drawn = false;
      batch(() => {
        this.version.value = this.model.version;
        if (this.follow.value) this.cursor.value = this.model.last;
      });
    };
    try {
      await supply.lines(this.index, (lines) => {
        this.model.take(lines);
        wasLive ||= this.model.live;
        this.lastLine = performance.now();
        if (drawn) return;
        drawn = true;
        requestAnimationFrame(show);
      });
      if (wasLive && this.model.complete) await supply.keep(this.index, partsKept(this.model.sizes())).catch(() => {});
      if (!this.model.complete) this.trouble.value = 'The connection to trundle has ended; no more will come.';
    } catch (error) {
      this.trouble.value = `The connection to trundle is gone: ${error instanceof Error ? error.message : error}`;
    }
    // Who opens a run that has failed wants to know why.
    if (this.follow.value && !wasLive && this.model.cause !== null) this.toCause();
    this.model.complete = true;
    this.model.live = false;
    this.model.version++;
    show();
  }

  go(seq: number | null): void {
    if (seq === null) return;
    batch(() => {
      this.cursor.value = Math.max(1, Math.min(seq, this.model.last));
      this.follow.value = this.model.live && this.cursor.value === this.model.last;
    });
  }

  step(by: number): void {
    const found = shown.value;
    if (found === null) return this.go(this.cursor.value + by);
    const seqs = Array.from(found, (seq) => ({ seq }));
    const at = lastAtMost(seqs, this.cursor.value);
    const exact = seqs[at]?.seq === this.cursor.value;
    this.go(seqs[Math.max(0, Math.min(seqs.length - 1, by < 0 && !exact ? at : at + by))]?.seq ?? null);
  }

  failure(direction: 1 | -1): void {
    this.go(nextOf(this.model.failures, this.cursor.value, direction));
  }

  /** To the first event that proves the cause, or to the end of a run without one. */
  toCause(): void {
    const { cause, conclusion, failures, last } = this.model;
    this.go(cause?.evidence[0] ?? (cause === null ? null : conclusion?.seq) ?? failures[0] ?? last);
  }
}

/** Sections of the page; on a narrow screen one is shown at a time. */
export const PANES = ['events', 'charts', 'timeline', 'event', 'output', 'environment', 'compare'] as const;
export type Pane = (typeof PANES)[number];

export const views = signal<readonly View[]>([]);
export const current = signal(0);
export const view = computed(() => views.value[current.value] as View);
export const supply = signal<Supply | null>(null);
export const filter = signal('');
/** Milliseconds that the last filter took. */
export const filterTook = signal(0);
/** The pane beside the charts on a wide screen. */
export const pane = signal<Pane>('event');
/** The only pane on a narrow screen. */
export const narrowPane = signal<Pane>('events');
export const helpShown = signal(false);
/** The machine whose chart is shown; null picks the one that moved last. */
export const chosenMachine = signal<string | null>(null);
export const scheme = signal<'auto' | 'light' | 'dark'>('auto');

/** Seqs that the filter lets through; null where it lets all through. */
export const shown = computed((): Uint32Array | null => {
  const { version, finder } = view.value;
  version.value;
  const start = performance.now();
  const found = finder.find(filter.value);
  filterTook.value = performance.now() - start;
  return found;
});

/** An event in words. An event of a foreign actor system has a sentence of its own. */
export function sentence(event: TrundleEvent): string {
  const { say } = event as { say?: unknown };
  return typeof say === 'string' ? say : describeEvent(event);
}

/** Shows a pane, on a wide screen and on a narrow one. */
export function open(which: Pane): void {
  batch(() => {
    narrowPane.value = which;
    if (which !== 'events' && which !== 'charts' && which !== 'timeline') pane.value = which;
  });
}

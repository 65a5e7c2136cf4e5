import type { TrundleEvent } from '../../events/index.ts';

/** Remembers which event last told of a command's or copy's end, so that a step that failed can point to it. */
export class EvidenceBook {
  readonly #latest = new Map<string | null, readonly number[]>();

  note(event: TrundleEvent): void {
    if (event.type === 'command.concluded' || event.type === 'copy.failed')
      this.#latest.set(event.testbed, [event.seq]);
  }

  /** Of one testbed. */
  latestOf(testbed: string): readonly number[] {
    return this.#latest.get(testbed) ?? [];
  }
}

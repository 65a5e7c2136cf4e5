import type { TrundleEvent } from '../../events/index.ts';

/** Remembers which event last told of a command's or copy's end, so that a step that failed can point to it. */
export class EvidenceBook {
  #latest: readonly number[] = [];

  note(event: TrundleEvent): void {
    if (event.type === 'command.concluded' || event.type === 'copy.failed') this.#latest = [event.seq];
  }

  get latest(): readonly number[] {
    return this.#latest;
  }
}

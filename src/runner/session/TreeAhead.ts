import type { PlacedTree } from './TestbedSession.ts';

/** A tree that goes into the testbed before anybody waits for it. */
export class TreeAhead {
  readonly #placed: PlacedTree;
  readonly #abort = new AbortController();
  #arrival: Promise<void> | null = null;

  constructor(placed: PlacedTree) {
    this.#placed = placed;
  }

  /** Sends it on its way. */
  send(copy: (placed: PlacedTree, signal: AbortSignal) => Promise<void>): void {
    this.#arrival = copy(this.#placed, this.#abort.signal);
    // Who waits for it hears of it.
    this.#arrival.catch(() => {});
  }

  /** Waits for a tree, where it is this one and on its way; else false. @throws what went wrong with it */
  async brings({ tree, place }: PlacedTree): Promise<boolean> {
    if (this.#arrival === null || tree !== this.#placed.tree || place !== this.#placed.place) return false;
    await this.#arrival;
    // Whoever wants it once more wants another copy.
    this.#arrival = null;
    return true;
  }

  /** Nobody will wait for it any more; settles once nothing of it is under way. */
  async giveUp(): Promise<void> {
    this.#abort.abort(new Error('the tree is no longer wanted'));
    await this.#arrival?.catch(() => {});
  }
}

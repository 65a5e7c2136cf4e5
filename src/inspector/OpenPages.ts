/** Pages that still want something: lines of a run that goes, or what they keep of it once it has ended. */
export class OpenPages {
  readonly #kept = new Map<string, () => void>();
  readonly #open = new Set<Promise<void>>();

  /**
   * A page gets lines, and stays until it says that it has all it keeps. One without a name is not waited for.
   * @param answer gives whether it got all lines
   */
  async during(page: string | null, answer: Promise<boolean>): Promise<void> {
    const kept = new Promise<void>((resolve) => {
      if (page === null) resolve();
      else this.#kept.set(page, resolve);
    });
    const open = answer.then((whole) => (whole ? kept : undefined)).finally(() => this.#open.delete(open));
    this.#open.add(open);
    await answer;
  }

  /** A page says that it has all it keeps. */
  leave(page: string | null): void {
    if (page === null) return;
    this.#kept.get(page)?.();
    this.#kept.delete(page);
  }

  /** Until all pages have left. */
  async left(): Promise<void> {
    await Promise.allSettled(this.#open);
  }
}

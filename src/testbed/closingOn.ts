import type { Forward } from '../driver/index.ts';

/**
 * A forward that closes when a signal aborts, also while it is still being opened.
 * @throws what the signal was aborted with, without waiting for a side that does not answer
 */
export async function closingOn(signal: AbortSignal | undefined, opening: Promise<Forward>): Promise<Forward> {
  if (signal === undefined) return await opening;
  const close = () => void opening.then((forward) => forward.close()).catch(() => {});
  if (signal.aborted) {
    close();
    throw signal.reason;
  }
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        close();
        reject(signal.reason);
      },
      { once: true },
    );
  });
  aborted.catch(() => {});
  return await Promise.race([opening, aborted]);
}

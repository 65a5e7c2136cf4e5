import { BackendError } from '../../contract.ts';

/** How often an image is unpacked anew because others, for whom the cache is too small, threw it away. */
const TRIES = 5;

/** The error for an image that was thrown out of the cache after it was found there, and before it was locked. Pure. */
export function imageGone(): BackendError {
  return new BackendError('image-gone', 'the unpacked image was thrown out of the cache before it could be locked', {
    remedy: 'the cache is too small for all that is run at once: run fewer at a time, or give directories as images',
  });
}

/** Starts something that locks its image; where that had gone by then, once more with an image that `again` provides. */
export async function withImage<T>(start: () => Promise<T>, again: () => Promise<void>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof BackendError) || error.code !== 'image-gone' || tries === TRIES) throw error;
      await again();
    }
  }
}

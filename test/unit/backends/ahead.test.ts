import { describe, expect, test } from 'vitest';
import { Ahead } from '../../../src/backends/schroot/Ahead.ts';

const never = new AbortController().signal;

/** Work that ends only when it is aborted. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

describe('work that is begun before its turn', () => {
  test('begins at once, and is there for each that waits', async () => {
    let begun = 0;
    const ahead = new Ahead(() => {
      begun += 1;
      return Promise.resolve('a way');
    });
    expect(begun).toBe(1);
    expect([await ahead.wait(never), await ahead.wait(never), begun]).toEqual(['a way', 'a way', 1]);
  });

  test('keeps its failure for who waits', async () => {
    const ahead = new Ahead(() => Promise.reject(new Error('no room')));
    await expect(ahead.wait(never)).rejects.toThrow('no room');
  });

  test('is aborted with who waits for it, before or meanwhile', async () => {
    const late = new AbortController();
    const waiting = new Ahead(untilAborted).wait(late.signal);
    late.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('too late');
    await expect(new Ahead(untilAborted).wait(late.signal)).rejects.toThrow('too late');
  });

  test('comes to nothing where it is cancelled before its end, and stays what it is after', async () => {
    expect(await new Ahead(untilAborted).cancel()).toBeNull();
    const done = new Ahead(() => Promise.resolve('a way'));
    await done.wait(never);
    expect(await done.cancel()).toBe('a way');
  });
});

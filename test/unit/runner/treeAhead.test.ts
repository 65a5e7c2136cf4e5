import { describe, expect, test } from 'vitest';
import { TreeAhead } from '../../../src/runner/session/TreeAhead.ts';
import type { SourceTree } from '../../../src/runner/source.ts';

const TREE: SourceTree = { kind: 'built-tree', argument: 'a/', directory: '/a' };
const PLACED = { tree: TREE, place: 'tree' };

/** A tree that is on its way until somebody says that it has arrived, or what went wrong. */
function underWay() {
  const way = { resolve: () => {}, reject: (_error: Error) => {} };
  const arrival = new Promise<void>((resolve, reject) => Object.assign(way, { resolve, reject }));
  const ahead = new TreeAhead(PLACED);
  const told: { signal: AbortSignal | null } = { signal: null };
  ahead.send((_placed, signal) => {
    told.signal = signal;
    return arrival;
  });
  return { ahead, way, told };
}

/** What a promise has come to by now. */
async function now(promise: Promise<unknown>): Promise<unknown> {
  return await Promise.race([promise, Promise.resolve('not yet')]);
}

describe('a tree that goes ahead', () => {
  test('is waited for by whoever wants it', async () => {
    const { ahead, way } = underWay();
    const brought = ahead.brings({ ...PLACED });
    expect(await now(brought)).toBe('not yet');
    way.resolve();
    expect(await brought).toBe(true);
    expect(await ahead.brings(PLACED)).toBe(false);
  });

  test('tells whoever wants it what went wrong, and nobody before', async () => {
    const { ahead, way } = underWay();
    way.reject(new Error('the disk is full'));
    await expect(ahead.brings(PLACED)).rejects.toThrow('the disk is full');
  });

  test('is no other tree, nor the same at another place', async () => {
    const { ahead } = underWay();
    expect(await ahead.brings({ tree: { ...TREE }, place: 'tree' })).toBe(false);
    expect(await ahead.brings({ tree: TREE, place: 'build' })).toBe(false);
  });

  test('is nothing to wait for where it never left', async () => {
    const ahead = new TreeAhead(PLACED);
    expect(await ahead.brings(PLACED)).toBe(false);
    await ahead.giveUp();
  });

  test('is called back, and out of the way before anything else is done', async () => {
    const { ahead, way, told } = underWay();
    expect(told.signal?.aborted).toBe(false);
    const gone = ahead.giveUp();
    expect(told.signal?.aborted).toBe(true);
    expect(await now(gone.then(() => 'gone'))).toBe('not yet');
    way.reject(new Error('it was cancelled'));
    await gone;
  });
});

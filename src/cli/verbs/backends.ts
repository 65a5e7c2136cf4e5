import type { Io } from '../Io.ts';
export async function backends(_words: readonly string[], _io: Io): Promise<number> {
  return 0;
}

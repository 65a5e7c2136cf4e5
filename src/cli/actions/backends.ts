import type { Io } from '../Io.ts';
export async function showBackend(_name: string, _io: Io): Promise<number> {
  return 0;
}

import { endingSignals } from './endingSignals.ts';

/** Until a signal asks for the end: Ctrl-C, or whoever started us. */
export async function untilSignalled(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of endingSignals(process.env)) process.once(signal, () => resolve());
  });
}

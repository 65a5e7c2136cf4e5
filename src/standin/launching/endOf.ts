import { constants } from 'node:os';
import type { End } from './contract.ts';

/**
 * How a process ended. Pure.
 * @param status as waitpid(2) gives it: the signal in the low seven bits, the exit status in the next byte
 */
export function endOf(status: number): End {
  const signal = status & 0x7f;
  return signal === 0 ? { status: status >> 8, signal: null } : { status: null, signal: signalName(signal) };
}

/** The name of a signal by its number. */
function signalName(number: number): NodeJS.Signals {
  const names = Object.entries(constants.signals) as [NodeJS.Signals, number][];
  // Realtime signals have no names; whoever is told takes any word.
  return names.find(([, value]) => value === number)?.[0] ?? (`SIG${number}` as NodeJS.Signals);
}

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { findProgram } from '../shared/programs.ts';

/**
 * What comes before the words of a program that starts a hundred others, one after another: each goes on where the one that
 * waits for it was running, and no other processor has to be woken for it. Nothing where there is no choice.
 * @param name decides which one, so that of many programs at once not all are on the same
 */
export function onOneProcessor(name: string): string[] {
  const taskset = findProgram('taskset');
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const processors = parseProcessors(allowed);
  if (taskset === null || processors.length < 2) return [];
  const chosen = processors[createHash('sha256').update(name).digest().readUInt32BE() % processors.length];
  return [taskset, '--cpu-list', String(chosen)];
}

/** The numbers in a list as proc(5) writes it, such as `0-3,8`. Pure. */
export function parseProcessors(list: string): number[] {
  return list
    .split(',')
    .filter((range) => /^\d+(-\d+)?$/.test(range))
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

import type { JsonObject, Upgrade } from './contract.ts';

/**
 * Format 2 says of a command which copy it carries out (`copy` of `command.requested`), and in its header what system the
 * run had under it. In format 1 a copy's command was the next one with tar or cat in it; of the system nothing is known.
 */
export const from1to2: Upgrade = {
  header: (header) => ({ ...header, format: 2, system: null }),
  lines: () => {
    /** Copies that have begun and whose command is yet to come, by testbed. */
    const waiting = new Map<unknown, unknown[]>();
    return (line: JsonObject) => {
      if (line.type === 'copy.started') {
        waiting.set(line.testbed, [...(waiting.get(line.testbed) ?? []), line.copy]);
      } else if (line.type === 'command.requested' && /\btar\b|\bcat\b/.test(String(line.line))) {
        const copy = waiting.get(line.testbed)?.shift();
        if (copy !== undefined) return { ...line, copy };
      }
      return line;
    };
  },
};

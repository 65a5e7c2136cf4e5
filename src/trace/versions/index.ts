import { TRACE_VERSION } from '../contract.ts';
import type { Upgrade } from './contract.ts';
import { from1to2 } from './from1to2.ts';

/**
 * From each older version to the next. A change of the format adds an entry here, and leaves the recorded traces of the
 * older version in test/traces as they are: they stay readable for ever.
 */
export const UPGRADES: Readonly<Record<number, Upgrade>> = { 1: from1to2 };

/**
 * What brings lines of an older format to `to`, step by step; null where nothing needs to be done.
 * @throws RangeError where a step is missing
 */
export function upgradeFrom(
  format: number,
  to: number = TRACE_VERSION,
  upgrades: Readonly<Record<number, Upgrade>> = UPGRADES,
): Upgrade | null {
  if (format === to) return null;
  const steps: Upgrade[] = [];
  for (let version = format; version < to; version++) {
    const step = upgrades[version];
    if (step === undefined) throw new RangeError(`nothing upgrades a trace from format ${version} to ${version + 1}`);
    steps.push(step);
  }
  return {
    header: (header) => steps.reduce((value, step) => step.header(value), header),
    lines: () => {
      const each = steps.map((step) => step.lines());
      return (line) => each.reduce((value, upgrade) => upgrade(value), line);
    },
  };
}

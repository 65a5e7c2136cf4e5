import { TRACE_VERSION } from '../contract.ts';

/** Anything JSON calls an object. */
export type JsonObject = Record<string, unknown>;

/** Makes of the lines of one version of the format lines of the next. Pure; must not change what it is given. */
export interface Upgrade {
  header(header: JsonObject): JsonObject;
  line(line: JsonObject): JsonObject;
}

/**
 * From each older version to the next. A change of the format adds an entry here, and a fixture of the older
 * version in test/traces, which stays readable for ever. Version 1 is the first and has nothing before it.
 */
export const UPGRADES: Readonly<Record<number, Upgrade>> = {};

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
    line: (line) => steps.reduce((value, step) => step.line(value), line),
  };
}

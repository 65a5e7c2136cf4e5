/** autopkgtest's timeouts by kind (autopkgtest(1), --timeout-KIND), in seconds. */
export interface Timeouts {
  /** A short command in the testbed. */
  readonly short: number;
  /** Copying files or trees. */
  readonly copy: number;
  /** Installing packages. */
  readonly install: number;
  /** One test. */
  readonly test: number;
  /** Building a package. */
  readonly build: number;
}

const DEFAULTS: Timeouts = { short: 100, copy: 300, install: 3_000, test: 10_000, build: 100_000 };

/** The timeouts in milliseconds: those given, or the defaults multiplied by the factor (--timeout-factor). Pure. */
export function timeoutsInMs(given: Partial<Timeouts>, factor: number): Timeouts {
  // None would be no limit.
  const ms = (kind: keyof Timeouts) => Math.max(1, Math.round((given[kind] ?? DEFAULTS[kind] * factor) * 1000));
  return { short: ms('short'), copy: ms('copy'), install: ms('install'), test: ms('test'), build: ms('build') };
}

import type { Alternatives } from '../control/relations.ts';
import type { PlannedTest } from '../plan/planTests.ts';

/** What a test needs to be installed. */
export interface DependencyRequest {
  readonly test: PlannedTest;
  /** All placeholders expanded; null where the testbed's architecture is not known, so that they cannot be. */
  readonly depends: readonly Alternatives[] | null;
  /** Packages of the source under test among them: of each list one must be installed itself, not only be provided. */
  readonly own?: readonly (readonly string[])[];
}

/** What came of it. */
export type Preparation =
  /** All dependencies are there. `note`, if any, goes into the log. */
  | { readonly kind: 'ready'; readonly note?: string }
  /** The test's dependencies cannot be had: the result is `badpkg`, or a skip with `skip-not-installable`. */
  | {
      readonly kind: 'badpkg';
      readonly message: string;
      /** What the package manager said of it, for the trace. */
      readonly detail?: string;
    };

/**
 * Makes the testbed hold what a test depends on. Implementations differ in where packages come from; a failure
 * of the testbed itself is thrown as TestbedError or StepError, never told as `badpkg`.
 */
export interface DependencyInstaller {
  prepare(request: DependencyRequest, signal: AbortSignal): Promise<Preparation>;
}

import type * as z from 'zod';
import type { causeClassSchema, causeSchema, failureSchema, lossSchema, phaseSchema } from './schemas/common.ts';

/** Why something failed; see {@link causeSchema}. */
export type Cause = z.infer<typeof causeSchema>;
/** The class of a cause. */
export type CauseClass = z.infer<typeof causeClassSchema>;
/** Where in a testbed's life something happened. */
export type Phase = z.infer<typeof phaseSchema>;
/** How a byte stream ended or never began. */
export type Loss = z.infer<typeof lossSchema>;
/** What a system call or program said. */
export type Failure = z.infer<typeof failureSchema>;

const CLASS_OF_LOSS: Record<Loss, CauseClass> = {
  refused: 'connection-refused',
  unreachable: 'connection-unreachable',
  closed: 'connection-closed',
  reset: 'connection-reset',
  silent: 'connection-silent',
  protocol: 'protocol-error',
  local: 'internal-error',
};

/** The class of a cause that a lost or never made connection is. Pure. */
export function classOfLoss(how: Loss): CauseClass {
  return CLASS_OF_LOSS[how];
}

const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG'];
/** The place that was named is not there any more, or is not for this user to write to. */
const NO_PLACE = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ESTALE'];

/**
 * The class of a cause that a file of this machine's is which cannot be written: a full disk, a place that went, or a fault
 * of Trundle. Pure.
 * @param code the errno name; null where the system gave none
 */
export function classOfUnwritable(code: string | null): CauseClass {
  if (code === null) return 'internal-error';
  if (FULL.includes(code)) return 'host-disk-full';
  return NO_PLACE.includes(code) ? 'wrong-usage' : 'internal-error';
}

const PACKAGE_CLASSES: readonly CauseClass[] = ['bad-package'];
const TEST_CLASSES: readonly CauseClass[] = ['test-failed', 'test-wrote-stderr', 'test-timed-out', 'test-signalled'];
const OWN_CLASSES: readonly CauseClass[] = [
  'internal-error',
  'host-disk-full',
  'operator-interrupted',
  'runner-killed',
  'wrong-usage',
  // As autopkgtest since 6.0; it was 16 before.
  'setup-failed',
  // Says nothing about a package or a testbed: there is none.
  'replay-diverged',
  // autopkgtest's own choice: a testbed that cannot be removed turns any other verdict into 20.
  'teardown-failed',
];

/** What a testbed, or the way to it, does of itself; who would rather not be let in again is not among them. */
const PASSING_CLASSES: readonly CauseClass[] = [
  'provision-failed',
  'boot-failed',
  'testbed-died',
  'revert-failed',
  'reboot-failed',
  'connection-refused',
  'connection-unreachable',
  'connection-closed',
  'connection-reset',
  'connection-silent',
];
/** When a deadline that passed bounded something that the testbed did, not something that was done in it. */
const OWN_PHASES: readonly Phase[] = ['provision', 'boot', 'ssh-ready', 'reboot', 'revert'];

/** Whether a testbed's cause proves that another testbed of the same kind might do better. Pure. */
export function isTestbedsFault({ class: causeClass, phase }: Pick<Cause, 'class' | 'phase'>): boolean {
  if (causeClass === 'deadline-expired') return OWN_PHASES.includes(phase);
  return PASSING_CLASSES.includes(causeClass);
}

/**
 * autopkgtest's exit code for a run that ended with this cause: 4 a test failed, 12 the package is erroneous,
 * 16 the testbed failed, 20 anything else (autopkgtest(1), EXIT STATUS). Pure.
 */
export function exitCodeOf(causeClass: CauseClass): 4 | 12 | 16 | 20 {
  if (TEST_CLASSES.includes(causeClass)) return 4;
  if (PACKAGE_CLASSES.includes(causeClass)) return 12;
  if (OWN_CLASSES.includes(causeClass)) return 20;
  return 16;
}

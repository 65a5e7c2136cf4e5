import type { BackendError } from '../../contract.ts';
import type { Enter } from '../enter.ts';

/** How a container, or what set it up, ended before it was there. */
export interface EarlyEnd {
  readonly status: number | null;
  /** What was printed, on stderr and on the container's console. */
  readonly said: string;
}

/** Where a running container is, for those who make the way into it. */
export interface Place {
  /** The container's first process, as this machine sees it. */
  readonly leader: number;
  /** The first process in the outer namespaces, as this machine sees it. */
  readonly outer: number;
  /** Opens a file for as long as the container runs; gives a path by which others find it, whatever becomes of it. */
  readonly keep: (path: string, flags: 'r' | 'w') => string;
}

/** How a program runs a container in outer namespaces. */
export interface ContainerPlan {
  /** The command that runs the container; its child is the container's first process. */
  readonly argv: readonly string[];
  /** What the first process of the outer namespaces does ({@link outerScript}). */
  readonly script: string;
  /** Whether the image's init is booted, so that it is to be waited for. */
  readonly boot: boolean;
  /** The way into the container. */
  readonly enter: (place: Place) => Enter;
  /** Why the container did not come to be. Pure. */
  readonly explain: (end: EarlyEnd) => BackendError;
}

/** The exit status that a container's program, or our script around it, gives where the container wants a reboot. */
export const REBOOTED = 133;

/** The exit status that says: the hierarchy of control groups could not be mounted. */
export const NO_CGROUPS = 91;

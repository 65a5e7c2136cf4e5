/** The lines in which apt says what it does not like. Pure. */
export function complaint(said: string): string {
  const lines = said.split('\n');
  const unmet = lines.findIndex((line) => line.startsWith('The following packages have unmet dependencies'));
  const end = lines.findIndex((line, index) => index > unmet && /^[EW]: /.test(line));
  const errors = lines.filter((line) => line.startsWith('E: '));
  const told = unmet === -1 ? [] : lines.slice(unmet + 1, end === -1 ? undefined : end);
  return [...told, ...errors]
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 20)
    .join('; ');
}

/** What keeps apt from working that is no matter of packages. */
export type Hindrance =
  /** Somebody else is at it: apt waits by itself for dpkg's locks, but not for its own (apt.conf(5)). */
  | { readonly kind: 'locked'; readonly waited: boolean }
  /** The testbed is full. */
  | { readonly kind: 'no-room'; readonly said: string };

/** A lock file that somebody has, whatever language apt speaks: one that cannot be opened has a reason after a dash. */
const LOCKED = /^E: (?!.* - open \()\S.* ?(\/\S+\/lock(?:-frontend)?)(?=[.\s,)])/m;

/** In apt's and dpkg's own words: a maintainer script may say so of anything. */
const NO_ROOM =
  /^(?:E: You don't have enough free space in .*|E: .*No space left on device.*|dpkg: .*No space left on device.*| (?:cannot|unable to|failed to) .*No space left on device.*)$/m;

/**
 * Why apt did nothing, or gave up, where that is the testbed's fault; null where it is not known to be. Pure.
 * @param installing whether apt had come to the packages: what is locked then is so for one of them, by apt itself
 */
export function hindrance(said: string, installing: boolean): Hindrance | null {
  const [, lock] = (installing ? null : LOCKED.exec(said)) ?? [];
  if (lock !== undefined) return { kind: 'locked', waited: lock.includes('/dpkg/') };
  const [full] = NO_ROOM.exec(said) ?? [];
  return full === undefined ? null : { kind: 'no-room', said: full.trim() };
}

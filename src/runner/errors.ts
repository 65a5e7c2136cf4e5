import type { Cause } from '../events/index.ts';

/** Somebody asked for what cannot be done: exit code 20. Thrown before a run exists, so there is no trace of it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 20;
}

/** The package under test is erroneous: exit code 12. `file` is relative to the package's root. */
export class BadPackageError extends Error {
  override readonly name = 'BadPackageError';
  readonly file: string | null;
  readonly line: number | null;
  constructor(message: string, file: string | null = null, line: number | null = null) {
    super(message);
    this.file = file;
    this.line = line;
  }

  /** The message with the place it speaks of. */
  get report(): string {
    if (this.file === null) return this.message;
    return `${this.message} (${this.file}${this.line === null ? '' : `:${this.line}`})`;
  }
}

/** A step of the run failed, and the cause is known. */
export class StepError extends Error {
  override readonly name = 'StepError';
  readonly doing: string;
  override readonly cause: Cause;
  constructor(doing: string, cause: Cause) {
    super(`${doing}: ${cause.detail ?? cause.class}`);
    this.doing = doing;
    this.cause = cause;
  }
}

/** What Trundle exits with where its own command line cannot be used, or it has failed itself; as autopkgtest does. */
export const USAGE_EXIT_CODE = 20;

/** The command line cannot be used. The message says what is wrong; `hint` shows what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = USAGE_EXIT_CODE;
  readonly hint: string | null;
  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }
}

/** One thing that is said in the course of a run. */
export interface LogEntry {
  /**
   * `own`: a line of the runner's; `result`: a test's line of the summary; `finding`: another line of the summary that
   * everybody sees; `conclusion`: one that only the summary has; `stdout` and `stderr`: what a test printed.
   */
  readonly kind: 'own' | 'result' | 'finding' | 'conclusion' | 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

/** Takes entries in. Resolves when there is room for more. */
export interface LogEntries {
  put(entry: LogEntry): Promise<void>;
}

import type { Failure } from '../events/index.ts';

/** What an error says for the trace: its code, its message with that of its cause, and a remedy if it knows one. Pure. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: null, message: String(error) };
  const { code, remedy } = error as { code?: unknown; remedy?: unknown };
  const cause =
    error.cause instanceof Error && !error.message.includes(error.cause.message) ? `: ${error.cause.message}` : '';
  return {
    code: typeof code === 'string' ? code : null,
    message: `${error.message}${cause}`,
    ...(typeof remedy === 'string' ? { remedy } : {}),
  };
}

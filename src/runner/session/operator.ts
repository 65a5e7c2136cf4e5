import type { Run } from '../../testbed/index.ts';

/**
 * Turns an AbortSignal into the operator's first signal: SIGTERM where the reason says so, SIGINT otherwise.
 * Returns what stops listening.
 */
export function listenToAbort(run: Run, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const tell = () => {
    const name = signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    run.emit({ type: 'operator.signalled', testbed: null, from: 'operator', signal: name, count: 1 });
  };
  if (signal.aborted) tell();
  else signal.addEventListener('abort', tell, { once: true });
  return () => signal.removeEventListener('abort', tell);
}

import type { TraceHeader, TraceLine } from '../trace/pure.ts';
import { StatelyTranslation } from './stately.ts';
import { TraceSource } from './TraceSource.ts';
import { openWebSocket } from './WebSocketSender.ts';

/**
 * Sends a run to a relay that speaks Stately's inspector protocol over WebSocket (`createInspectorServer` of
 * @statelyai/inspect), all of it, and what is added while the run goes.
 * @returns how many messages were sent
 * @throws Error where nobody listens there; TraceError where there is no trace
 */
export async function sendToStately(trace: string, url: string, signal: AbortSignal): Promise<number> {
  await using socket = await openWebSocket(new URL(url));
  let translation: StatelyTranslation | null = null;
  let sent = 0;
  for await (const block of new TraceSource(trace).lines(signal)) {
    for (const text of block.split('\n')) {
      if (text === '') continue;
      const line = JSON.parse(text) as TraceLine | TraceHeader | { i: string; problem?: string | null };
      if ('trundle' in line && !('seq' in line)) translation = new StatelyTranslation(line);
      else if ('i' in line && line.problem) throw new Error(line.problem);
      else if (translation !== null && ('d' in line || 'seq' in line)) {
        for (const message of translation.messages(line)) {
          await socket.send(JSON.stringify(message));
          sent += 1;
        }
      }
    }
  }
  return sent;
}

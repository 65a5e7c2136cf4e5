import type { ClientChannel } from 'ssh2';

/** What ssh2's types leave out. */
interface Inner {
  readonly _client?: { readonly _protocol?: Requests };
  readonly outgoing?: { readonly id: number; readonly state: string };
}

interface Requests {
  signal(channel: number, name: string): void;
  windowChange(channel: number, rows: number, columns: number, height: number, width: number): void;
}

/**
 * Asks the server to signal what runs on a channel (RFC 4254, section 6.9), also where its stdin has ended: then ssh2
 * sends no request any more, and says so to nobody, although the channel stands until both sides have closed it.
 */
export function signalChannel(channel: ClientChannel, name: string): void {
  const [protocol, id] = afterStdin(channel);
  if (protocol === null) channel.signal(name);
  else protocol.signal(id, name);
}

/** The same for a terminal's size (RFC 4254, section 6.7). */
export function resizeChannel(channel: ClientChannel, { columns, rows }: { columns: number; rows: number }): void {
  const [protocol, id] = afterStdin(channel);
  if (protocol === null) channel.setWindow(rows, columns, 0, 0);
  else protocol.windowChange(id, rows, columns, 0, 0);
}

/** The way past ssh2 where that is needed. */
function afterStdin(channel: ClientChannel): [Requests, number] | [null, 0] {
  const { outgoing, _client } = channel as unknown as Inner;
  return outgoing?.state === 'eof' && _client?._protocol !== undefined ? [_client._protocol, outgoing.id] : [null, 0];
}

import type { Session } from 'ssh2';

/**
 * Has a session heed requests until it is closed. ssh2's server heeds none any more once the client has said its last
 * on stdin, but a command may be signalled all the same (RFC 4254, sections 5.3 and 6.9).
 */
export function heedRequests(session: Session): void {
  session.on('eof', () => Object.assign(session, { _ending: false }));
}

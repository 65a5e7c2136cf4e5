import type { EventType } from '../../events/index.ts';
import type { Sentences } from './describeEvent.ts';
import { causeWords, failureWords, list, lossWords } from './words.ts';

/** How each fact of an SSH connection and of a reboot is told. */
export const connectionSentences = {
  'connection.requested': (e) => `connection ${e.connection} is wanted, as ${e.login}`,
  'hangup.requested': (e) => `connection ${e.connection} is to end`,
  'dial.started': (e) =>
    `connection ${e.connection} dials ${e.address}${e.attempt > 1 ? `, attempt ${e.attempt}` : ''}`,
  'dial.failed': (e) => `connection ${e.connection} ${lossWords(e.how)} (stage ${e.stage}): ${failureWords(e.failure)}`,
  'socket.connected': (e) => `connection ${e.connection} reached the server`,
  'banner.received': (e) => `the server says that it is ${e.software}`,
  'banner.rejected': (e) => `who answers does not speak SSH; it said: ${e.sample}`,
  'hostkey.seen': (e) => `the server shows its ${e.algorithm} host key ${e.fingerprint}`,
  'hostkey.verified': () => 'the host key is the expected one',
  'hostkey.mismatched': (e) => `the server showed host key ${e.seen}, expected was ${list(e.expected, 'none')}`,
  'handshake.completed': (e) => `the connection is encrypted (${e.kex}, ${e.cipher})`,
  'auth.accepted': (e) => `logged in as ${e.login} by ${e.method}`,
  'auth.refused': (e) => `the server refused ${e.login} (tried ${list(e.tried)}): ${e.message}`,
  'keepalive.missed': (e) => `connection ${e.connection} did not answer (${e.missed} of ${e.limit})`,
  'connection.lost': (e) => `connection ${e.connection} ${lossWords(e.how)}: ${failureWords(e.failure)}`,
  'connection.closed': (e) => `connection ${e.connection} is hung up`,
  'connection.established': (e) => `connection ${e.connection} stands, as ${e.login}`,
  'connection.failed': (e) => `connection ${e.connection} failed: ${causeWords(e.cause)}`,
  'connection.retired': (e) => `connection ${e.connection} is over`,
  'forward.opened': (e) => `${e.direction} forward ${e.forward} leads from ${e.source} to ${e.target}`,
  'forward.failed': (e) => `forward ${e.forward} could not be opened: ${failureWords(e.failure)}`,
  'forward.closed': (e) => `forward ${e.forward} is closed`,
  'reboot.requested': (e) =>
    e.line === undefined
      ? `the testbed is to reboot${e.how === 'backend' ? ' by way of its backend' : ''}`
      : 'the testbed is to be rebooted by what runs in it',
  'boot.identified': (e) => `the running boot is ${e.identity}`,
  'boot.unidentified': (e) => `the running boot cannot be identified: ${failureWords(e.failure)}`,
  'reboot.asked': () => 'the testbed was told to reboot',
  'reboot.proven': (e) => `the testbed has rebooted: boot ${e.before} is now ${e.after}`,
  'reboot.failed': (e) => `the reboot failed: ${causeWords(e.cause)}`,
} satisfies Partial<Sentences<EventType>>;

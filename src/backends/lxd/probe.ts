import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Availability } from '../contract.ts';
import { missingPrograms } from '../shared/programs.ts';
import { CLIENTS } from './commands.ts';
import { GROUPS, PREPARE } from './explain.ts';
import type { Daemon } from './options.ts';

/** Milliseconds in which a daemon must answer. */
const LIMIT = 5000;

/** Where a daemon's socket may be: where its client would look for it. */
function socketOf(daemon: Daemon, env: NodeJS.ProcessEnv): string {
  const { LXD_DIR, LXD_SOCKET, INCUS_DIR, INCUS_SOCKET } = env;
  const [socket, directory] = daemon === 'lxd' ? [LXD_SOCKET, LXD_DIR] : [INCUS_SOCKET, INCUS_DIR];
  if (socket) return socket;
  if (directory) return join(directory, 'unix.socket');
  const usual = daemon === 'lxd' ? ['/var/snap/lxd/common/lxd', '/var/lib/lxd'] : ['/run/incus', '/var/lib/incus'];
  const sockets = usual.map((place) => join(place, 'unix.socket'));
  return sockets.find((path) => existsSync(path)) ?? sockets.at(-1) ?? '';
}

/** Can this machine run instances of a daemon? Asks its REST interface: the client would make files for itself. */
export async function probe(daemon: Daemon, env: NodeJS.ProcessEnv = process.env): Promise<Availability> {
  const missing = missingPrograms([CLIENTS[daemon]]);
  if (missing !== null) return missing;
  const socket = socketOf(daemon, env);
  try {
    const server = (await get(socket, '/1.0')) as { auth?: string; environment?: { server_version?: string } };
    if (server.auth !== 'trusted')
      return { available: false, missing: `${daemon} does not trust this user`, remedy: joining(daemon) };
    const pools = await get(socket, '/1.0/storage-pools');
    if (!Array.isArray(pools) || pools.length === 0)
      return {
        available: false,
        missing: `${daemon} has no storage for instances yet`,
        remedy: `as root: ${PREPARE[daemon]}`,
      };
    return { available: true, detail: `${daemon} ${server.environment?.server_version ?? ''}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      return { available: false, missing: `this user may not speak to ${daemon} (${socket})`, remedy: joining(daemon) };
    return {
      available: false,
      missing: `the daemon of ${daemon} does not answer at ${socket}: ${code ?? message}`,
      remedy: `systemctl start ${daemon}, or set ${daemon === 'lxd' ? 'LXD_DIR' : 'INCUS_DIR'} to where its socket is`,
    };
  }
}

function joining(daemon: Daemon): string {
  return `as root: adduser "$USER" ${GROUPS[daemon]}; then log in anew`;
}

/** The metadata of an answer of the REST interface (both have `{ type, status, metadata }`). */
function get(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, signal: AbortSignal.timeout(LIMIT) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.once('error', reject).once('end', () => {
        try {
          resolve((JSON.parse(text) as { metadata?: unknown }).metadata);
        } catch (error) {
          reject(error);
        }
      });
    });
    asked.once('error', reject).end();
  });
}

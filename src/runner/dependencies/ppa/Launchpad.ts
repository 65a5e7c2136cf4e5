import type { Clock } from '../../../events/index.ts';
import { UsageError } from '../../errors.ts';
import { limited, pause } from '../../session/limit.ts';
import { fingerprintOf, NoKeyError } from './openPgpKey.ts';
import { labelOf, type Ppa, type SignedPpa } from './ppa.ts';

/** Where Launchpad, and what belongs to it, is to be found. URLs without a slash at the end. */
export interface LaunchpadServers {
  /** Its API. */
  readonly api: string;
  /** The key server (HKP over HTTPS), for keys whose fingerprint is known. */
  readonly keyServer: string;
  /** What public PPAs are below. They are signed, so HTTP will do: few testbeds have certificates. */
  readonly archive: string;
  /** What private PPAs are below. */
  readonly privateArchive: string;
}

export const LAUNCHPAD: LaunchpadServers = {
  api: 'https://api.launchpad.net/devel',
  keyServer: 'https://keyserver.ubuntu.com',
  archive: 'http://ppa.launchpadcontent.net',
  privateArchive: 'https://private-ppa.launchpadcontent.net',
};

/** What Launchpad is asked with. */
export interface LaunchpadOptions {
  readonly servers: LaunchpadServers;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Milliseconds for an answer, how often one is asked for, and milliseconds between two tries. */
const PATIENCE = 20_000;
const TRIES = 3;
const PAUSE = 2000;

/** Bytes of the longest answer. A key has to fit into one argument of a command, which is 128 KiB for Linux. */
const LONGEST = 100 * 1024;

/** An answer that may be another one next time. */
class Unsteady extends Error {}

/**
 * Finds the key that signs a PPA: by its fingerprint where that was given, else as Launchpad says.
 * @throws UsageError where there is none: said before there is a run
 */
export async function signedPpa(ppa: Ppa, options: LaunchpadOptions): Promise<SignedPpa> {
  const { servers } = options;
  const { fingerprint } = ppa;
  const archive = `~${ppa.owner}/+archive/${ppa.distribution}/${ppa.name}`;
  const url =
    fingerprint === null
      ? `${servers.api}/${archive}?ws.op=getSigningKeyData`
      : `${servers.keyServer}/pks/lookup?op=get&options=mr&search=0x${fingerprint}`;
  const refused = (why: string) => new UsageError(`--add-apt-source ${labelOf(ppa)}: ${why}`);
  const { status, text } = await persistently(url, options, refused);
  if (status !== 200) throw refused(`${url} answered ${status}${ofStatus(status, ppa)}`);
  const key = fingerprint === null ? fromJson(text) : text;
  if (key === null)
    throw refused('Launchpad has made no key for it yet; it does with the first package that is uploaded');
  try {
    const found = fingerprintOf(key);
    if (fingerprint === null || fingerprint === found) return { ...ppa, key: key.trim(), fingerprint: found };
    throw refused(`${servers.keyServer} answered with the key ${found}, and ${fingerprint} was asked for`);
  } catch (error) {
    if (!(error instanceof NoKeyError)) throw error;
    throw refused(`${url} answered with no key: ${error.message}; it begins with ${JSON.stringify(text.slice(0, 60))}`);
  }
}

function ofStatus(status: number, { fingerprint, owner, distribution, name }: Ppa): string {
  if (fingerprint !== null) return status === 404 ? ': it has no key of this fingerprint' : '';
  const isPrivate = 'a private one needs ppa:USER:TOKEN@OWNER/NAME:FINGERPRINT, as its page shows them';
  if (status === 404) return `: there is no public PPA ~${owner}/${distribution}/${name}; ${isPrivate}`;
  return status === 401 || status === 403 ? `: it is not public; ${isPrivate}` : '';
}

/** Launchpad's answers are JSON: a text, or null where there is none. */
function fromJson(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return value === null || typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function persistently(
  url: string,
  options: LaunchpadOptions,
  refused: (why: string) => UsageError,
): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(url, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof Unsteady)) throw refused((error as Error).message);
      if (tries === TRIES) throw refused(`${error.message}; it was asked ${TRIES} times`);
      await pause(options.clock, PAUSE, options.signal);
    }
  }
}

async function ask(url: string, { clock, signal }: LaunchpadOptions): Promise<Answer> {
  const limit = limited(clock, PATIENCE, signal);
  try {
    const response = await fetch(url, { signal: limit.signal, headers: { accept: 'application/json, */*' } });
    if (response.status >= 500)
      throw new Unsteady(`${url} answered ${response.status} ${response.statusText}`.trimEnd());
    return { status: response.status, text: await textOf(response, url) };
  } catch (error) {
    if (limit.expired) throw new Unsteady(`${url} did not answer within ${PATIENCE / 1000} s`);
    if (!(error instanceof TypeError)) throw error;
    throw new Unsteady(`${url} cannot be reached: ${reasonOf(error)}`);
  } finally {
    limit.done();
  }
}

async function textOf({ body }: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > LONGEST) throw new Error(`${url} answered with more than ${LONGEST / 1024} KiB, which is no key`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** fetch says only that it failed; the reason is the cause of that. */
function reasonOf({ message, cause }: Error): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(String).join(', ');
  return cause instanceof Error ? cause.message : message;
}

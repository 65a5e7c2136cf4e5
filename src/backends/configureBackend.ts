import type { Availability, Backend, ConfiguredBackend } from './contract.ts';
import { BackendLoadError } from './errors.ts';
import { BUILT_IN, loadBackend } from './loadBackend.ts';
import { backendHelp, parseOptions } from './optionParser.ts';

/**
 * Finds a backend by the first word, as in `trundle run ... -- ssh --hostname host`, and gives it the rest as options.
 * @throws BackendLoadError, BackendOptionError
 */
export async function configureBackend(
  words: readonly string[],
  where: { cwd?: string } = {},
): Promise<ConfiguredBackend> {
  const [name, ...rest] = words;
  if (name === undefined) throw new BackendLoadError('', 'no backend was named');
  const backend = await loadBackend(name, where.cwd);
  const options = parseOptions(backend, rest);
  return {
    name: backend.name,
    words: [name, ...withoutSecrets(backend, rest)],
    capabilities: () => backend.capabilities(options),
    open: (host) => backend.open(options, host),
  };
}

/** A backend as `trundle backends` shows it. */
export interface BackendListing {
  readonly name: string;
  readonly summary: string;
  readonly availability: Availability;
  /** The options' help text. */
  readonly help: string;
}

/** All built-in backends, and others by name or path, with whether this machine can run them. */
export async function listBackends(
  others: readonly string[] = [],
  where: { cwd?: string } = {},
): Promise<BackendListing[]> {
  const backends = [...BUILT_IN, ...(await Promise.all(others.map((name) => loadBackend(name, where.cwd))))];
  return Promise.all(backends.map(list));
}

async function list(backend: Backend): Promise<BackendListing> {
  const availability = await backend
    .probe()
    .catch((error: unknown): Availability => ({ available: false, missing: `its probe failed: ${String(error)}` }));
  return { name: backend.name, summary: backend.summary, availability, help: backendHelp(backend) };
}

/** The words of a command line with the values of secret options taken out. */
function withoutSecrets(backend: Backend, words: readonly string[]): string[] {
  const secret = backend.help?.secret ?? [];
  const flags = secret.flatMap((key) => {
    const short = backend.help?.short?.[key];
    return [
      `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      ...(short === undefined ? [] : [`-${short}`]),
    ];
  });
  let hideNext = false;
  return words.map((word) => {
    if (hideNext) {
      hideNext = false;
      return '[redacted]';
    }
    if (flags.includes(word)) hideNext = true;
    const flag = flags.find((each) =>
      each.startsWith('--') ? word.startsWith(`${each}=`) : word.startsWith(each) && word !== each,
    );
    return flag === undefined ? word : `${flag}${flag.startsWith('--') ? '=' : ''}[redacted]`;
  });
}

import { unabbreviated } from './abbreviations.ts';
import { checkVerbs } from './checkVerbs.ts';
import type { Availability, Backend, ConfiguredBackend } from './contract.ts';
import { BackendLoadError } from './errors.ts';
import { BUILT_IN_NAMES, loadBackend } from './loadBackend.ts';
import { backendHelp, parseOptions, parserOf } from './optionParser.ts';
import { redactWords } from './redactWords.ts';

/**
 * Finds a backend by the first word, as in `trundle run ... -- ssh --hostname host`, and gives it the rest as options.
 * @throws BackendLoadError, BackendOptionError
 */
export async function configureBackend(
  words: readonly string[],
  where: { cwd?: string } = {},
): Promise<ConfiguredBackend> {
  // Plain JavaScript may have given the command line as one string, of which the first letter would be the name.
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string'))
    throw new BackendLoadError('', "a backend is named by an array of strings, as in ['ssh', '--hostname', 'box']");
  const [name, ...rest] = words;
  if (name === undefined) throw new BackendLoadError('', 'no backend was named');
  const backend = await loadBackend(name, where.cwd);
  const parser = parserOf(backend);
  const whole = unabbreviated(parser, backend.help ?? {}, rest);
  const options = parseOptions(backend, whole);
  return {
    name: backend.name,
    words: [name, ...redactWords(parser, backend.help ?? {}, whole)],
    capabilities: () => backend.capabilities(options),
    deadlines: () => backend.deadlines?.(options) ?? {},
    whyNotKept: () =>
      backend.whyNotKept === undefined ? 'it has no way to leave a testbed behind' : backend.whyNotKept(options),
    lasting: backend.lasting ?? false,
    open: (host) => checkVerbs(backend.name, backend.open(options, host)),
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
  const names = [...BUILT_IN_NAMES, ...others];
  const backends = await Promise.all(names.map((name) => loadBackend(name, where.cwd)));
  return Promise.all(backends.map(list));
}

async function list(backend: Backend): Promise<BackendListing> {
  const availability = await Promise.resolve()
    .then(() => backend.probe())
    .catch((error: unknown): Availability => ({ available: false, missing: `its probe failed: ${String(error)}` }));
  return { name: backend.name, summary: backend.summary, availability, help: backendHelp(backend) };
}

import type { Steps } from '../session/Steps.ts';

/** What came of an apt-get. */
export type AptEnd =
  | { readonly kind: 'done' }
  /** Packages could not be fetched: the network, or an index that is out of date. */
  | { readonly kind: 'not-fetched'; readonly said: string }
  /** It would not do it: no such package, a conflict, a maintainer script that failed. */
  | { readonly kind: 'refused'; readonly said: string };

/** What Apt needs. */
export interface AptOptions {
  readonly steps: Steps;
  readonly eatmydata: boolean;
  /** Milliseconds to wait for dpkg's lock. */
  readonly lockTimeout: number;
}

/** Variables that keep packages from asking questions. */
export const NO_QUESTIONS: Readonly<Record<string, string>> = {
  DEBIAN_FRONTEND: 'noninteractive',
  APT_LISTBUGS_FRONTEND: 'none',
  APT_LISTCHANGES_FRONTEND: 'none',
};

/** apt-get in the testbed, with options that suit the installation of what tests need. Takes root there. */
export class Apt {
  readonly #options: AptOptions;

  constructor(options: AptOptions) {
    this.#options = options;
  }

  /**
   * Runs apt-get; what it prints goes into the log.
   * @throws StepError where it took too long, TestbedError
   */
  async run(doing: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<AptEnd> {
    const { steps, eatmydata, lockTimeout } = this.#options;
    const options = [
      '--quiet',
      '--assume-yes',
      '-o=APT::Status-Fd=3',
      '-o=APT::Install-Recommends=false',
      `-o=DPkg::Lock::Timeout=${Math.ceil(lockTimeout / 1000)}`,
      '-o=Dpkg::Options::=--force-confnew',
      '-o=Dpkg::Use-Pty=false',
      '-o=Debug::pkgProblemResolver=true',
    ];
    const { status, stdout, stderr } = await steps.show(
      {
        doing,
        phase: 'provision',
        // Its progress, by which a failed download can be told from a refusal, comes on the third descriptor.
        script: 'exec "$@" 3>&2 2>&1',
        words: [...(eatmydata ? ['eatmydata'] : []), 'apt-get', ...options, ...words],
        limit: 'install',
        env: { ...NO_QUESTIONS, ...env },
      },
      'quietly',
    );
    if (status === 0) return { kind: 'done' };
    const fetching = /^dlstatus:/m.test(stderr) && !/^pmstatus:/m.test(stderr);
    return { kind: fetching ? 'not-fetched' : 'refused', said: complaint(stdout) };
  }

  /** Fetches the indexes of all sources, or only of the file given, keeping the others. Three tries. @throws StepError */
  async update(doing: string, file: string | null = null): Promise<void> {
    const only =
      file === null
        ? []
        : [`-o=Dir::Etc::SourceList=${file}`, '-o=Dir::Etc::SourceParts=/dev/null', '-o=APT::Get::List-Cleanup=0'];
    const end = await this.#persistently(doing, ['update', ...only]);
    if (end.kind !== 'done') throw this.#options.steps.failed(doing, 'provision', `apt-get update failed: ${end.said}`);
  }

  /** Runs apt-get again where it could not fetch. @throws StepError where it never could */
  async insist(
    doing: string,
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<AptEnd & { kind: 'done' | 'refused' }> {
    const end = await this.#persistently(doing, words, env);
    if (end.kind !== 'not-fetched') return end;
    throw this.#options.steps.failed(doing, 'provision', `apt repeatedly failed to download packages: ${end.said}`);
  }

  async #persistently(
    doing: string,
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<AptEnd> {
    let end = await this.run(doing, words, env);
    for (let tries = 1; tries < TRIES && end.kind !== 'done'; tries += 1) {
      if (end.kind === 'refused' && words[0] !== 'update') return end;
      await this.#options.steps.pause(PAUSE);
      end = await this.run(doing, words, env);
    }
    return end;
  }
}

/** How often apt may fail to fetch, and milliseconds between two tries: mirrors have bad moments. */
const TRIES = 3;
const PAUSE = 10_000;

/** The lines in which apt says what it does not like. Pure. */
function complaint(said: string): string {
  const lines = said.split('\n');
  const unmet = lines.findIndex((line) => line.startsWith('The following packages have unmet dependencies'));
  const end = lines.findIndex((line, index) => index > unmet && /^[EW]: /.test(line));
  const errors = lines.filter((line) => line.startsWith('E: '));
  const told = unmet === -1 ? [] : lines.slice(unmet + 1, end === -1 ? undefined : end);
  return [...told, ...errors]
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 20)
    .join('; ');
}

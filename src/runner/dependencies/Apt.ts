import type { Steps } from '../session/Steps.ts';
import { complaint, hindrance } from './aptComplaints.ts';

/** What came of an apt-get. */
export type AptEnd =
  | { readonly kind: 'done' }
  /** Packages could not be fetched: the network, or an index that is out of date. */
  | { readonly kind: 'not-fetched'; readonly said: string }
  /** Somebody else in the testbed is at it. `waited`: for as long as may be waited. */
  | { readonly kind: 'locked'; readonly said: string; readonly waited: boolean }
  /** The testbed is full. */
  | { readonly kind: 'no-room'; readonly said: string }
  /** It would not do it: no such package, a conflict, a maintainer script that failed. */
  | { readonly kind: 'refused'; readonly said: string };

/** What Apt needs. */
export interface AptOptions {
  readonly steps: Steps;
  readonly eatmydata: boolean;
  /** Milliseconds to wait for the locks of dpkg and apt. */
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
    const installing = /^pmstatus:/m.test(stderr);
    const hindered = hindrance(stdout, installing);
    if (hindered !== null) return { said: complaint(stdout), ...hindered };
    const fetching = /^dlstatus:/m.test(stderr) && !installing;
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

  /** Runs apt-get again where the testbed kept it from its work. @throws StepError where it always did */
  async insist(
    doing: string,
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<AptEnd & { kind: 'done' | 'refused' }> {
    const end = await this.#persistently(doing, words, env);
    if (end.kind === 'done' || end.kind === 'refused') return end;
    throw this.#options.steps.failed(doing, 'provision', `${WHY[end.kind]}: ${end.said}`);
  }

  async #persistently(
    doing: string,
    words: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<AptEnd> {
    const { steps, lockTimeout } = this.#options;
    let end = await this.run(doing, words, env);
    for (let tries = 1, waited = 0; end.kind !== 'done'; waited += PAUSE) {
      if (end.kind === 'locked' ? end.waited || waited + PAUSE > lockTimeout : tries >= TRIES) return end;
      if (end.kind === 'no-room' || (end.kind === 'refused' && words[0] !== 'update')) return end;
      if (end.kind !== 'locked') tries += 1;
      await steps.pause(PAUSE);
      end = await this.run(doing, words, env);
    }
    return end;
  }
}

/** How often apt may fail to fetch, and milliseconds between two tries: mirrors have bad moments. */
const TRIES = 3;
const PAUSE = 10_000;

const WHY: Readonly<Record<Exclude<AptEnd['kind'], 'done' | 'refused'>, string>> = {
  'not-fetched': 'apt repeatedly failed to download packages',
  locked: 'something else in the testbed works with apt, and does not end',
  'no-room': 'No space left on device',
};

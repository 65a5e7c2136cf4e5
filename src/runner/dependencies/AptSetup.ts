import type { RunLog } from '../output/RunLog.ts';
import type { Steps } from '../session/Steps.ts';
import { candidatesOf, suiteOf } from '../sources/aptSource.ts';
import type { Apt } from './Apt.ts';
import type { Pins } from './AptInstaller.ts';
import type { AptSetupOptions } from './aptSetupOptions.ts';
import { copiedSources } from './copiedSources.ts';
import { labelOf, type SignedPpa } from './ppa/ppa.ts';
import { sourceOfPpa } from './ppa/sourceOfPpa.ts';

/** Where it is done. */
export interface AptSetupContext {
  readonly apt: Apt;
  readonly steps: Steps;
  readonly log: RunLog;
  /** Another architecture than the testbed's, whose packages are to be had too; null where there is none. */
  readonly foreign: string | null;
}

const PREFERENCES = '/etc/apt/preferences.d';
const SOURCES = '/etc/apt/sources.list.d';

/** Sources, releases and pins that apt in a testbed is given, and whether it may do without the pins in the end. */
export class AptSetup implements Pins {
  readonly #options: AptSetupOptions;
  /** Releases that packages are pinned to, in order; those that were given up are gone. */
  #pinned: { readonly release: string; readonly file: string }[] = [];
  #context: AptSetupContext | null = null;

  constructor(options: AptSetupOptions) {
    this.#options = options;
  }

  get fallback(): boolean {
    return this.#options.fallback;
  }

  /** Sets apt up in a testbed that is new, or was put back. @throws StepError, TestbedError */
  async prepare(context: AptSetupContext): Promise<void> {
    const { apt, log, foreign } = context;
    const { defaultRelease, sources, ppas, upgrade } = this.#options;
    this.#context = context;
    this.#pinned = [];
    if (foreign !== null) await this.#addArchitecture(foreign);
    if (defaultRelease !== null) {
      await this.#prefer('autopkgtest-00-default-release.pref', [pin('*', defaultRelease, 990)]);
    }
    const added = [this.#options.pockets, sources, ppas, this.#options.releases].some(({ length }) => length > 0);
    if (foreign !== null || upgrade || added) {
      log.info('updating testbed package index (apt update)');
      await apt.update('updating the package index');
    }
    const own = await this.#ownRelease();
    const releases = [...this.#options.releases];
    const pins = [...this.#options.pins];
    for (const { pocket, packages } of this.#options.pockets) {
      releases.push(`${own}-${pocket}`);
      if (packages.length > 0) pins.push({ release: `${own}-${pocket}`, packages });
    }
    for (const release of new Set(releases)) {
      await this.#addRelease(own ?? '', release);
      await this.#prefer(`autopkgtest-zz-${release}-baseline.pref`, [pin('*', release, 500)]);
    }
    for (const { file, text } of sources) await this.#addSource(file, text);
    await this.#addPpas(ppas);
    // One file for each release: given once more, it would take the packages of the first from it.
    for (const release of new Set(pins.map((each) => each.release))) {
      const packages = pins.flatMap((each) => (each.release === release ? each.packages : []));
      await this.#pinPackages(release, packages);
    }
  }

  /** Brings the testbed up to date (--apt-upgrade). @throws StepError, TestbedError */
  async upgrade({ apt, steps, log }: AptSetupContext): Promise<void> {
    if (!this.#options.upgrade) return;
    log.info('upgrading testbed (apt dist-upgrade and autopurge)');
    for (const words of [['dist-upgrade'], ['--purge', 'autoremove']]) {
      const end = await apt.insist('upgrading the testbed', words);
      if (end.kind === 'refused') {
        throw steps.failed('upgrading the testbed', 'provision', `failed testbed apt ${words.at(-1)}: ${end.said}`);
      }
    }
  }

  async giveUp(): Promise<string | null> {
    if (!this.fallback || this.#context === null) return null;
    const latest = this.#pinned.pop();
    if (latest === undefined) return null;
    const words = [`${PREFERENCES}/${latest.file}`];
    await this.#context.steps.must({ doing: 'removing a pin', phase: 'provision', script: 'rm -f "$1"', words });
    return latest.release;
  }

  async #addArchitecture(foreign: string): Promise<void> {
    const { steps, log } = this.#here();
    log.info(`Adding foreign dpkg architecture: ${foreign}`);
    const doing = `adding the architecture ${foreign}`;
    await steps.must({ doing, phase: 'provision', script: 'exec dpkg --add-architecture "$1"', words: [foreign] });
  }

  /** The release that the testbed is of: where its base-files come from. Null where no one needs to know. */
  async #ownRelease(): Promise<string | null> {
    const { releases, pockets } = this.#options;
    if (releases.length === 0 && pockets.length === 0) return null;
    const { steps, log } = this.#here();
    const doing = 'finding out the release of the testbed';
    const script = 'exec apt-cache policy base-files';
    const { stdout } = await steps.must({ doing, phase: 'provision', script, env: { LC_ALL: 'C' } });
    const [candidate] = candidatesOf(stdout);
    const release = candidate === undefined ? null : suiteOf(stdout, candidate.version);
    if (release === null) {
      throw steps.failed(
        doing,
        'provision',
        'no source of apt in the testbed has base-files, so nobody knows its release',
      );
    }
    log.info(`testbed release detected to be: ${release}`);
    return release;
  }

  /** Gives apt what it has of one release of another one too. */
  async #addRelease(own: string, release: string): Promise<void> {
    const { steps, log } = this.#here();
    const read = (doing: string, script: string) => steps.must({ doing, phase: 'provision', script });
    const lines = await read(
      'reading the sources of apt',
      `for file in /etc/apt/sources.list ${SOURCES}/*.list; do if [ -f "$file" ]; then cat "$file"; echo; fi; done`,
    );
    const stanzas = await read(
      'reading the sources of apt',
      `for file in ${SOURCES}/*.sources; do if [ -f "$file" ]; then cat "$file"; echo; fi; done`,
    );
    const copies = copiedSources({ lines: lines.stdout, stanzas: stanzas.stdout, from: own, to: release });
    if (copies.list === '' && copies.sources === '') {
      log.warning(`apt of the testbed has no source of ${own} that ${release} could be had from`);
    }
    const name = `autopkgtest-add-apt-release-${release}`;
    if (copies.list !== '') await this.#addSource(`${name}.list`, copies.list);
    if (copies.sources !== '') await this.#addSource(`${name}.sources`, copies.sources);
  }

  async #addPpas(ppas: readonly SignedPpa[]): Promise<void> {
    if (ppas.length === 0) return;
    const { steps, log } = this.#here();
    const doing = 'finding out the release of the testbed';
    // biome-ignore lint/suspicious/noTemplateCurlyInString: variables of the shell
    const script = '. /etc/os-release && printf %s "${UBUNTU_CODENAME:-${VERSION_CODENAME:-}}"';
    const { stdout: series } = await steps.must({ doing, phase: 'provision', script });
    if (!/^[a-z0-9.-]+$/.test(series)) {
      throw steps.failed(doing, 'provision', 'its /etc/os-release has no codename, by which PPAs have their packages');
    }
    for (const ppa of ppas) {
      const { key, list, lines, auth } = sourceOfPpa(ppa, series, this.#options.launchpad);
      log.info(`adding ${labelOf(ppa)} for ${series}, signed by ${ppa.fingerprint}`);
      await this.#write(`the key of ${labelOf(ppa)}`, key, ppa.key, '022');
      if (auth !== null) await this.#write(`the credentials of ${labelOf(ppa)}`, auth.file, auth.text, '077');
      await this.#addSource(list, lines);
    }
  }

  async #write(what: string, file: string, text: string, umask: string): Promise<void> {
    const script = 'umask 022 && mkdir -p "$(dirname "$1")" && umask "$3" && printf \'%s\\n\' "$2" >"$1"';
    await this.#here().steps.must({ doing: `adding ${what}`, phase: 'provision', script, words: [file, text, umask] });
  }

  async #addSource(name: string, text: string): Promise<void> {
    const { steps, apt, log } = this.#here();
    const file = `${SOURCES}/${safe(name)}`;
    const script = `mkdir -p ${SOURCES} && printf '%s\\n' "$2" >>"$1"`;
    await steps.must({ doing: `adding apt source ${name}`, phase: 'provision', script, words: [file, text] });
    log.info(`updating testbed package index for new source ${safe(name)}`);
    await apt.update(`reading the index of ${name}`, file);
  }

  /** Other packages of the release come last, those that were named first. */
  async #pinPackages(release: string, packages: readonly string[]): Promise<void> {
    const anywhere = packages.map((name) => (name.replace(/^src:/, '').includes(':') ? name : `${name}:any`));
    const file = safe(`autopkgtest-${release}.pref`);
    const chosen = anywhere.length === 0 ? [] : [pin(anywhere.join(' '), release, 995)];
    await this.#prefer(file, [pin('*', release, 100), ...chosen]);
    this.#pinned.push({ release, file });
  }

  async #prefer(name: string, stanzas: readonly string[]): Promise<void> {
    const script = `mkdir -p ${PREFERENCES} && printf '%s\\n' "$2" >"$1"`;
    const words = [`${PREFERENCES}/${safe(name)}`, stanzas.join('\n')];
    await this.#here().steps.must({ doing: `pinning by ${safe(name)}`, phase: 'provision', script, words });
  }

  #here(): AptSetupContext {
    if (this.#context === null) throw new Error('apt was not prepared');
    return this.#context;
  }
}

/** A stanza of apt_preferences(5). */
function pin(packages: string, release: string, priority: number): string {
  return `Package: ${packages}\nPin: release ${release}\nPin-Priority: ${priority}\n`;
}

/** apt passes over files with anything else in their names (apt_preferences(5), sources.list(5)). */
function safe(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
}

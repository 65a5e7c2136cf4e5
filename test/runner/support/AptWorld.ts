import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Entry, statusFile } from './statusFile.ts';

// No caches: they would be those of another file that is as long and as old.
const CONFIGURATION = (directory: string) => `
Dir "${directory}";
Dir::State "${directory}";
Dir::State::status "${directory}/status";
Dir::State::Lists "${directory}/lists";
Dir::Cache "${directory}";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc "${directory}/etc";
Dir::Log "${directory}";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "i386"; "arm64"; };
`;

/** apt with nothing but what a status file says is installed: what that does not satisfy cannot be had. */
export class AptWorld {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    for (const part of ['lists/partial', 'archives/partial', 'etc/apt.conf.d', 'etc/preferences.d']) {
      mkdirSync(`${directory}/${part}`, { recursive: true });
    }
    mkdirSync(`${directory}/etc/sources.list.d`);
    writeFileSync(`${directory}/apt.conf`, CONFIGURATION(directory));
  }

  /** Names of the packages with dependencies that are not met. */
  async unmet(packages: readonly Entry[]): Promise<Set<string>> {
    const said = await this.#run(packages, 'check');
    return new Set([...said.out.matchAll(/^ ([a-z0-9-]+) : (?:Pre)?Depends: /gm)].map(([, name = '']) => name));
  }

  /** Whether apt-get satisfy has nothing against a dependency. */
  async satisfies(packages: readonly Entry[], depends: string): Promise<boolean> {
    const { status, out } = await this.#run(packages, '--simulate', 'satisfy', depends);
    if (status === 0 || /unmet dependencies/.test(out)) return status === 0;
    throw new Error(`apt-get satisfy ${depends}: ${out}`);
  }

  async #run(packages: readonly Entry[], ...words: readonly string[]): Promise<{ status: number; out: string }> {
    writeFileSync(`${this.#directory}/status`, statusFile(packages));
    const env = { ...process.env, LC_ALL: 'C', APT_CONFIG: `${this.#directory}/apt.conf` };
    const child = spawn('sh', ['-c', 'exec apt-get "$@" 2>&1', 'sh', ...words], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [out, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { status, out };
  }
}

/** What the runner learns of a testbed before the first test. Null: the testbed has no way to tell. */
export interface TestbedFacts {
  /** Debian architecture, as dpkg prints it. */
  readonly architecture: string | null;
  /** Whether the testbed has dpkg-query. */
  readonly dpkg: boolean;
  /** Whether the testbed has dpkg-source. */
  readonly dpkgSource: boolean;
  /** Whether packages can be installed: it has apt-get, and the administrator is root and may write dpkg's data. */
  readonly installs: boolean;
  /** Whether the testbed has eatmydata(1), which makes installing quicker. */
  readonly eatmydata: boolean;
  /** The shell that reads the profile and starts the tests: bash as in autopkgtest, or sh where there is none. */
  readonly shell: 'bash' | 'sh';
  /** Number of processors, as nproc(1) prints it. */
  readonly processors: string | null;
  readonly kernel: string | null;
  readonly cpuModel: string | null;
  readonly cpuFlags: string | null;
}

/**
 * Reads what KEEPER_SCRIPT printed. `scratch` is null where it did not say; `helps` and `sweeps` are false for that of
 * another version, as a recorded testbed may have it. Pure.
 */
export function parseFacts(output: string): {
  scratch: string | null;
  helps: boolean;
  sweeps: boolean;
  facts: TestbedFacts;
} {
  const values = new Map<string, string>();
  for (const line of output.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  const text = (key: string) => values.get(key) || null;
  return {
    scratch: text('scratch'),
    helps: values.has('helps'),
    sweeps: values.has('sweeps'),
    facts: {
      architecture: text('architecture'),
      dpkg: values.has('dpkg-query'),
      dpkgSource: values.has('dpkg-source'),
      installs: values.has('apt-get') && values.has('installs'),
      eatmydata: values.has('eatmydata'),
      shell: values.has('bash') ? 'bash' : 'sh',
      processors: text('processors'),
      kernel: text('kernel'),
      cpuModel: text('cpuModel'),
      cpuFlags: text('cpuFlags'),
    },
  };
}

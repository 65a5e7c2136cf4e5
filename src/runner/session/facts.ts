/** What the runner learns of a testbed before the first test. Null: the testbed has no way to tell. */
export interface TestbedFacts {
  /** Debian architecture, as dpkg prints it. */
  readonly architecture: string | null;
  /** Whether the testbed has dpkg-query. */
  readonly dpkg: boolean;
  /** Whether the testbed has dpkg-source. */
  readonly dpkgSource: boolean;
  /** The shell that reads the profile and starts the tests: bash as in autopkgtest, or sh where there is none. */
  readonly shell: 'bash' | 'sh';
  /** Number of processors, as nproc(1) prints it. */
  readonly processors: string | null;
  readonly kernel: string | null;
  readonly cpuModel: string | null;
  readonly cpuFlags: string | null;
}

/**
 * Makes the scratch directory with mode `$1` and prints it with all the facts, one `key=value` per line. One
 * script, since each command costs a round trip.
 */
export const SETUP_SCRIPT = `set -e
scratch=$(mktemp -d -t autopkgtest.XXXXXX)
chmod "$1" "$scratch"
echo "scratch=$scratch"
echo "architecture=$(dpkg --print-architecture 2>/dev/null || :)"
command -v dpkg-query >/dev/null 2>&1 && echo dpkg=yes
command -v dpkg-source >/dev/null 2>&1 && echo dpkgSource=yes
command -v bash >/dev/null 2>&1 && echo bash=yes
echo "processors=$(nproc 2>/dev/null || :)"
echo "kernel=$(uname -srv 2>/dev/null || :)"
if [ -r /proc/cpuinfo ]; then
  sed -n -e '/^model name[[:space:]]*:/{s/^[^:]*: */cpuModel=/p;q;}' /proc/cpuinfo
  sed -n -e '/^flags[[:space:]]*:/{s/^[^:]*: */cpuFlags=/p;q;}' /proc/cpuinfo
fi
exit 0`;

/** Reads what {@link SETUP_SCRIPT} printed. `scratch` is null where it did not say. Pure. */
export function parseFacts(output: string): { scratch: string | null; facts: TestbedFacts } {
  const values = new Map<string, string>();
  for (const line of output.split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  const text = (key: string) => values.get(key) || null;
  return {
    scratch: text('scratch'),
    facts: {
      architecture: text('architecture'),
      dpkg: values.has('dpkg'),
      dpkgSource: values.has('dpkgSource'),
      shell: values.has('bash') ? 'bash' : 'sh',
      processors: text('processors'),
      kernel: text('kernel'),
      cpuModel: text('cpuModel'),
      cpuFlags: text('cpuFlags'),
    },
  };
}

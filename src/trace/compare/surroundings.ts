import { readFile } from 'node:fs/promises';
import type { TrundleEvent } from '../../events/index.ts';
import { shellLine } from '../explain/words.ts';
import { errnoOf } from '../files.ts';
import type { Trace } from '../readTrace.ts';

/** What a trace tells of where its run happened. */
export interface Surroundings {
  /** In the order in which it is told. */
  values: ReadonlyMap<string, string>;
  /** Version by name and architecture, as the testbed's dpkg said it last; null where nobody asked. */
  packages: ReadonlyMap<string, string> | null;
}

/** Bytes of a stream that are read: no list of packages is longer. */
const MOST = 32 * 1024 * 1024;

/** Gathers what a trace says of its surroundings; some of it stands in streams, which `read` looks into. */
export function foldSurroundings(trace: Trace): {
  see(event: TrundleEvent): void;
  read(): Promise<Surroundings>;
} {
  const values = new Map<string, string>([
    ['Trundle', trace.header.trundle],
    ['host', trace.header.owner.host],
  ]);
  const { system } = trace.header;
  if (system !== null) {
    values.set('kernel of the host', system.kernel);
    values.set('Node', system.node);
    values.set('time zone', system.zone);
  }
  const keepers: string[] = [];
  const lists: string[] = [];
  const tell = (name: string, value: string) => {
    if (!values.has(name)) values.set(name, value);
  };
  return {
    see(event) {
      switch (event.type) {
        case 'run.started':
          tell('sources', shellLine(event.sources));
          return tell('backend', shellLine(event.backend));
        case 'testbed.requested':
          tell('connections', `at most ${event.maxConnections}`);
          for (const [name, ms] of Object.entries(event.deadlines)) tell(`deadline ${name}`, `${ms} ms`);
          return;
        case 'backend.readied':
          tell('SSH server', event.endpoint.server);
          tell('reached by', event.endpoint.via.kind);
          tell('login', event.endpoint.login);
          return tell('capabilities', event.capabilities.toSorted().join(' '));
        case 'banner.received':
          return tell('SSH software', event.software);
        case 'handshake.completed':
          tell('key exchange', event.kex);
          return tell('cipher', event.cipher);
        case 'command.requested':
          if (event.line.includes('autopkgtest.XXXXXX')) keepers.push(event.command);
          else if (/\bdpkg-query\b.*--show/s.test(event.line)) lists.push(event.command);
          else for (const [name, value] of exported(event.line)) tell(name, value);
          return;
      }
    },
    async read() {
      const said = await Promise.all(keepers.map((keeper) => text(trace, `${keeper}.stdout`)));
      for (const [name, value] of facts(said[0] ?? '')) tell(name, value);
      const last = lists.at(-1);
      const list = last === undefined ? said.flatMap(answeredLists).at(-1) : await text(trace, `${last}.stdout`);
      return { values, packages: list === undefined ? null : packagesIn(list) };
    },
  };
}

async function text(trace: Trace, stream: string): Promise<string> {
  try {
    return (await readFile(trace.streamFile(stream))).subarray(0, MOST).toString('utf8');
  } catch (error) {
    // Nothing was printed, or the streams were not kept with the trace.
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** What the runner learnt of the testbed: `name=value` lines. Pure. */
function facts(output: string): [string, string][] {
  return output.split('\n').flatMap((line): [string, string][] => {
    const [, name, value] = /^([A-Za-z][\w-]*)=(.*)$/.exec(line) ?? [];
    return name === undefined || name === 'scratch' || value === undefined ? [] : [[name, value.trim()]];
  });
}

/** Variables that the script of a test sets, but for those that name the scratch directory. Pure. */
function exported(line: string): [string, string][] {
  return [...line.matchAll(/^export ([A-Za-z_]\w*)='?'?\\?'?'?([^'\n]*)/gm)].flatMap(
    ([, name = '', value = '']): [string, string][] =>
      value.includes('/autopkgtest.') ? [] : [[`$${name}`, value.replace(/\\$/, '')]],
  );
}

/** What the keeper of a scratch directory, which runs short scripts as well, was told by dpkg-query(1). Pure. */
export function answeredLists(output: string): string[] {
  return output.split(/^answer \d+ \d+\n/m).filter((answer) => /^installed\t/m.test(answer));
}

/** Pure. */
function packagesIn(output: string): ReadonlyMap<string, string> {
  const packages = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [status, name, version, architecture] = line.split('\t');
    if (status !== 'installed' || name === undefined || version === undefined) continue;
    packages.set(architecture === undefined ? name : `${name}:${architecture}`, version);
  }
  return packages;
}

import { shellLine } from '../../trace/pure.ts';
import type { RunModel } from './RunModel.ts';

/** A fact about where a run ran, for a table. */
export type FactRow = readonly [name: string, value: string];

/** What the events tell of the surroundings of a run. Pure. */
export function factsOf(model: RunModel): FactRow[] {
  const rows: FactRow[] = [];
  const add = (name: string, value: string | undefined | null) => {
    if (value !== undefined && value !== null && value !== '' && !rows.some(([n, v]) => n === name && v === value))
      rows.push([name, value]);
  };
  const { header, start } = model;
  add('Run', header?.run);
  add('Started', header?.started);
  add('Trundle', header?.trundle);
  add('Host', header?.owner?.host);
  add('Process', header?.owner === undefined ? null : String(header.owner.pid));
  add('Sources', start === null ? null : shellLine(start.sources));
  add('Backend', start === null ? null : shellLine(start.backend));
  for (const event of model.events) {
    if (event.type === 'endpoint.announced') {
      const { via, login, server, normalUser } = event.endpoint;
      const where =
        via.kind === 'tcp'
          ? `${via.host} port ${via.port}`
          : via.kind === 'unix'
            ? via.path
            : via.kind === 'process'
              ? shellLine(via.argv)
              : 'in this process';
      add('Endpoint', `${where}, as ${login}`);
      add('SSH server', server === 'sshd' ? 'sshd' : "Trundle's own");
      add('Ordinary user', normalUser);
      add('Capabilities', event.capabilities.join(', '));
    } else if (event.type === 'banner.received') add('SSH software', event.software);
    else if (event.type === 'handshake.completed')
      add('SSH algorithms', `${event.kex}, ${event.hostKeyAlgorithm}, ${event.cipher}`);
    else if (event.type === 'hostkey.verified') add('Host key', event.fingerprint);
    else if (event.type === 'boot.identified') add('Boot', event.identity);
  }
  return rows;
}

/** Streams in which the testbed told of itself: what it is, and what is installed. Pure. */
export function tellingStreams(model: RunModel): { facts: string[]; packages: string[] } {
  const found = { facts: [] as string[], packages: [] as string[] };
  for (const event of model.events) {
    if (event.type !== 'command.requested' || !model.streams.has(`${event.command}.stdout`)) continue;
    // It holds the scratch directory, and is asked for the packages as well.
    if (event.line.includes('echo "architecture=')) {
      found.facts.push(`${event.command}.stdout`);
      found.packages.push(`${event.command}.stdout`);
    } else if (event.line.includes('dpkg-query')) found.packages.push(`${event.command}.stdout`);
  }
  return found;
}

/** What the first command of a session printed about the testbed. Pure. */
export function parseFacts(text: string): FactRow[] {
  const names: Readonly<Record<string, string>> = {
    architecture: 'Architecture',
    kernel: 'Kernel',
    processors: 'Processors',
    cpuModel: 'Processor',
  };
  return text.split('\n').flatMap((line): FactRow[] => {
    const [, key = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    const name = names[key];
    return name === undefined || value === '' ? [] : [[name, value]];
  });
}

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/** What dpkg-query printed, with or without the package's status before its name. Pure. */
export function parsePackages(text: string): InstalledPackage[] {
  const packages = new Map<string, InstalledPackage>();
  const lists = text.split(/^answer \d+ \d+\n/m);
  const last = lists.findLast((list) => /^installed\t/m.test(list)) ?? text;
  for (const line of last.split('\n')) {
    const cells = line.split('\t');
    // With a status in front there are more than two, and only what is installed counts.
    if (cells.length > 2 && cells[0] !== 'installed') continue;
    const [name, version] = cells[0] === 'installed' ? cells.slice(1) : cells;
    if (name === undefined || version === undefined || !/^[a-z0-9][a-z0-9+.-]+(?::\w+)?$/.test(name)) continue;
    packages.set(name, { name, version });
  }
  return [...packages.values()];
}

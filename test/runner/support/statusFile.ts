import type { Installed } from '../../unit/runner/support/dependencies.ts';

/** A package that is installed, or is said to be; `depends` as the file has it. */
export type Entry = Installed & { readonly depends?: string };

/** Many cases share one status file. This is a dependency with the names of a case of its own. */
export const numbered = (text: string, index: number): string => text.replace(/(^|\| |, )/g, `$1p${index}-`);

/** A package with its name, and those that it provides, of a case of its own. */
export function numberedPackage(one: Installed, index: number): Installed {
  return {
    ...one,
    name: numbered(one.name, index),
    provides: one.provides === '' ? '' : numbered(one.provides, index),
  };
}

/** What is installed, as /var/lib/dpkg/status has it. */
export function statusFile(packages: readonly Entry[]): string {
  return packages.map(stanza).join('\n');
}

function stanza(one: Entry): string {
  return [
    `Package: ${one.name}`,
    'Status: install ok installed',
    'Maintainer: Nobody <nobody@localhost>',
    'Description: a sample',
    `Version: ${one.version}`,
    `Architecture: ${one.architecture}`,
    ...(one.multiArch === 'no' ? [] : [`Multi-Arch: ${one.multiArch}`]),
    ...(one.provides === '' ? [] : [`Provides: ${one.provides}`]),
    ...(one.depends === undefined ? [] : [`Depends: ${one.depends}`]),
    '',
  ].join('\n');
}

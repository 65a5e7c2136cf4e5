import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A source package to be. */
export interface PackagePlan {
  /** Test scripts by name; each gets its own stanza, with these restrictions. */
  readonly tests?: Readonly<Record<string, string | { script: string; restrictions?: string; fields?: string }>>;
  /** The whole of debian/tests/control instead. */
  readonly control?: string;
  /** More files, by path from the package's root. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

const SOURCE_CONTROL = `Source: sample
Maintainer: Nobody <nobody@example.org>
Standards-Version: 4.7.0

Package: sample
Architecture: all
Description: sample
`;

/** Writes a small source package below a directory. Returns its path. */
export function makePackage(parent: string, plan: PackagePlan): string {
  const root = join(parent, 'sample-1.0');
  const write = (path: string, content: string | Uint8Array, mode?: number) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    if (mode !== undefined) chmodSync(file, mode);
  };
  write('debian/control', SOURCE_CONTROL);
  // So it counts as built: there is nothing to build.
  write('debian/files', '');
  write(
    'debian/changelog',
    'sample (1.0-1) unstable; urgency=low\n\n  * Sample.\n\n -- Nobody <nobody@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n',
  );
  const stanzas: string[] = [];
  for (const [name, test] of Object.entries(plan.tests ?? {})) {
    const { script, restrictions = '', fields = '' } = typeof test === 'string' ? { script: test } : test;
    stanzas.push(
      [
        `Tests: ${name}`,
        'Depends:',
        ...(restrictions === '' ? [] : [`Restrictions: ${restrictions}`]),
        ...(fields === '' ? [] : [fields]),
        '',
      ].join('\n'),
    );
    write(`debian/tests/${name}`, script.startsWith('#!') ? script : `#!/bin/sh\n${script}\n`, 0o755);
  }
  write('debian/tests/control', plan.control ?? stanzas.join('\n'));
  for (const [path, content] of Object.entries(plan.files ?? {})) write(path, content);
  return root;
}

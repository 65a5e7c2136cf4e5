import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A small source package: its test control file, its test programs by name, and other files by path. */
export interface PackageSpec {
  readonly control?: string;
  readonly tests?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** Whether debian/files tells that it was built. */
  readonly built?: boolean;
}

/** Writes the package into a new directory and returns its path. Test programs have no executable bit. */
export function makePackage(parent: string, name: string, spec: PackageSpec): string {
  const root = path.join(parent, name);
  const files: Record<string, string> = {
    'debian/changelog': `${name} (1.0-1) unstable; urgency=low\n\n  * x\n\n -- A <a@example.org>  Tue, 24 Nov 2026 12:00:00 +0000\n`,
    'debian/control': `Source: ${name}\nSection: misc\nMaintainer: A <a@example.org>\n\nPackage: ${name}\nArchitecture: all\nDescription: x\n`,
    'debian/rules': '#!/usr/bin/make -f\n',
    ...(spec.control === undefined ? {} : { 'debian/tests/control': spec.control }),
    ...Object.fromEntries(Object.entries(spec.tests ?? {}).map(([test, text]) => [`debian/tests/${test}`, text])),
    ...(spec.built ? { 'debian/files': '' } : {}),
    ...spec.files,
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  chmodSync(path.join(root, 'debian/rules'), 0o755);
  return root;
}

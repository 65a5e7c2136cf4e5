import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Packages by name: version, and other fields. */
export type Suite = Readonly<
  Record<string, { readonly version: string; readonly architecture?: string; readonly fields?: readonly string[] }>
>;

/**
 * Makes a small archive of Debian's form. Each package holds the file /usr/share/NAME/version. Suite `stable` also lists
 * what a testbed has installed, without a deb of it: base-files, by which the testbed knows of which release it is.
 * @param baseFiles stanza of base-files in the testbed: with other fields it would be another package of that version
 */
export function makeArchive(directory: string, suites: Readonly<Record<string, Suite>>, baseFiles: string): void {
  mkdirSync(path.join(directory, 'pool'), { recursive: true });
  for (const [suite, packages] of Object.entries(suites)) {
    const stanzas = Object.entries(packages).map(([name, { version, architecture = 'all', fields = [] }]) => ({
      architecture,
      text: stanzaOf(directory, makeDeb(directory, name, version, architecture, fields)),
    }));
    if (suite === 'stable') stanzas.push({ architecture: 'amd64', text: listed(baseFiles) });
    const index = (name: string) =>
      stanzas.flatMap(({ architecture, text }) => (['all', name].includes(architecture) ? [text] : [])).join('\n');
    const dist = path.join(directory, 'dists', suite);
    const indices = {
      'main/binary-amd64/Packages': index('amd64'),
      'main/binary-i386/Packages': index('i386'),
      'main/source/Sources': '',
    };
    for (const [file, text] of Object.entries(indices)) {
      mkdirSync(path.dirname(path.join(dist, file)), { recursive: true });
      writeFileSync(path.join(dist, file), text);
    }
    const sums = Object.entries(indices).map(([file, text]) => ` ${sha256(text)} ${text.length} ${file}\n`);
    const fields = [`Suite: ${suite}`, `Codename: ${suite}`, 'Components: main', 'Architectures: amd64 i386'];
    writeFileSync(
      path.join(dist, 'Release'),
      `${fields.join('\n')}\nDate: Tue, 24 Nov 2026 12:00:00 UTC\nSHA256:\n${sums.join('')}`,
    );
  }
}

function makeDeb(
  directory: string,
  name: string,
  version: string,
  architecture: string,
  fields: readonly string[],
): string {
  const root = path.join(directory, 'build', `${name}-${version}`);
  mkdirSync(path.join(root, 'DEBIAN'), { recursive: true });
  mkdirSync(path.join(root, 'usr/share', name), { recursive: true });
  writeFileSync(path.join(root, 'usr/share', name, 'version'), `${version}\n`);
  writeFileSync(path.join(root, 'DEBIAN/control'), `${controlOf(name, version, architecture, fields)}\n`);
  const file = path.join(directory, 'pool', `${name}_${version}_${architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', root, file], { stdio: 'pipe' });
  return file;
}

function controlOf(name: string, version: string, architecture: string, fields: readonly string[]): string {
  const first = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: A <a@example.org>',
  ];
  return [...first, ...fields, 'Description: a package'].join('\n');
}

function stanzaOf(directory: string, file: string): string {
  const control = execFileSync('dpkg-deb', ['--field', file], { encoding: 'utf8' }).trimEnd();
  const content = readFileSync(file);
  const where = path.relative(directory, file);
  return `${control}\nFilename: ${where}\nSize: ${content.length}\nSHA256: ${sha256(content)}\n`;
}

/** A stanza of dpkg's as one of an archive's. */
function listed(stanza: string): string {
  const control = stanza.replace(/^Status: .*\n/m, '').replace(/^Conffiles:\n(?: .*\n)*/m, '');
  return `${control.trimEnd()}\nFilename: pool/none.deb\nSize: 1\nSHA256: ${sha256('')}\n`;
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

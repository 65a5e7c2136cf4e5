import { parseDeb822, type Stanza } from './deb822.ts';

/** What the runner needs from a package's debian/control. */
export interface SourceControl {
  /** Binary packages that are real debs, in order, each with the Architecture field. */
  readonly binaries: readonly { readonly name: string; readonly architectures: readonly string[] }[];
  /** Build-Depends, Build-Depends-Indep and Build-Depends-Arch, joined. */
  readonly buildDepends: string;
  /** The Recommends fields of all binary packages, joined, entries made of substitution variables left out. */
  readonly recommends: string;
  /** The Testsuite field. */
  readonly testsuite: readonly string[];
}

/**
 * Reads debian/control.
 * @throws BadPackageError for a file that is not in deb822 form
 */
export function parseSourceControl(text: string, file = 'debian/control'): SourceControl {
  const stanzas = parseDeb822(text, file);
  const source = stanzas.find((stanza) => stanza.fields.has('source'));
  const binaries = stanzas.filter((stanza) => stanza.fields.has('package') && isDeb(stanza));
  return {
    binaries: binaries.map((stanza) => ({
      name: value(stanza, 'package'),
      architectures: value(stanza, 'architecture').split(/\s+/).filter(Boolean),
    })),
    buildDepends: joined(
      ['build-depends', 'build-depends-indep', 'build-depends-arch'].map((field) =>
        source ? value(source, field) : '',
      ),
    ),
    recommends: withoutVariables(joined(binaries.map((stanza) => value(stanza, 'recommends')))),
    testsuite: source
      ? value(source, 'testsuite')
          .split(/[\s,]+/)
          .filter(Boolean)
      : [],
  };
}

/** udebs and their like are not installed for tests. */
function isDeb(stanza: Stanza): boolean {
  return ['package-type', 'xc-package-type'].every((field) => ['', 'deb'].includes(value(stanza, field)));
}

function value(stanza: Stanza, field: string): string {
  return stanza.fields.get(field)?.value ?? '';
}

function joined(fields: readonly string[]): string {
  return fields.filter((field) => field !== '').join(', ');
}

/** `${misc:Recommends}` goes, `pkg (= ${binary:Version})` keeps the package. */
function withoutVariables(field: string): string {
  return field
    .split(',')
    .map((entry) => entry.replace(/\([^()]*\$\{[^}]*\}[^()]*\)/g, '').trim())
    .filter((entry) => entry !== '' && !entry.includes('${'))
    .join(', ');
}

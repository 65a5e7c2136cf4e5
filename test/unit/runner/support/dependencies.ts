import fc from 'fast-check';

/** A package as the status file of dpkg has it. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly multiArch: string;
  readonly provides: string;
}

export const space = fc.constantFrom('', ' ', '  ');

export const version = fc
  .tuple(
    fc.constantFrom('', '', '0:', '1:', '2:'),
    fc.stringMatching(/^[0-9]([a-cA-C0-2.+~-]{0,5}[a-c0-2.+~])?$/),
    fc.constantFrom('', '', '-1', '-0', '-1~bpo12+1', '-1+b1'),
  )
  .map((parts) => parts.join(''));
/** Mostly what looks like a version at first glance. */
export const anything = fc.oneof(version, fc.stringMatching(/^[0-9a:.+~_ -]{0,6}$/), fc.string({ maxLength: 5 }));

export const ARCHITECTURES = ['amd64', 'i386', 'arm64', 'armhf', 'armel', 'x32', 'hurd-i386', 'kfreebsd-amd64'];
export const WILDCARDS = [
  'any',
  'linux-any',
  'any-amd64',
  'any-arm',
  'any-i386',
  'hurd-any',
  'gnu-any-any',
  'musl-linux-any',
];
export const architecture = fc.constantFrom(...ARCHITECTURES);
const named = fc.constantFrom(...ARCHITECTURES, ...WILDCARDS);
/** All with an exclamation mark or none, and also some with one, which the policy forbids and dpkg answers. */
export const list = fc
  .tuple(
    fc.constantFrom('all', 'none', 'some'),
    fc.array(fc.tuple(named, fc.boolean()), { minLength: 1, maxLength: 3 }),
  )
  .map(([which, names]) =>
    names.map(([name, some]) => (which === 'all' || (which === 'some' && some) ? `!${name}` : name)),
  );
const profiles = fc
  .array(fc.array(fc.constantFrom('nocheck', '!nocheck', 'stage1', '!cross'), { minLength: 1, maxLength: 2 }), {
    minLength: 1,
    maxLength: 2,
  })
  .map((lists) => lists.map((terms) => `<${terms.join(' ')}>`).join(' '));

/** Architectures of which packages are installed. */
const INSTALLABLE = ['amd64', 'i386', 'arm64'];
/** The architecture of a testbed. */
export const testbed = fc.constantFrom(...INSTALLABLE);
const NAMES = ['aa', 'bb', 'c+', 'd.d'];
const installedVersion = fc.constantFrom('1', '1.0-1', '2~rc1', '2', '1:0');
/** Often a version that some package has, so that each relation is decided both ways. */
const limit = fc.oneof(installedVersion, version);
const part = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null, freq: 2 });
/** One package of a dependency, with or without each of its parts, spaced in any way. */
function relationWith(qualifiers: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({
      name: fc.constantFrom(...NAMES),
      qualifier: part(fc.constantFrom(...qualifiers)),
      version: part(fc.tuple(fc.constantFrom('<<', '<=', '=', '>=', '>>', '<', '>'), space, limit, space)),
      list: part(list),
      profiles: part(profiles),
      space,
    })
    .map(({ name, qualifier, version: limits, list: architectures, profiles: formula, space: gap }) =>
      [
        qualifier === null ? name : `${name}:${qualifier}`,
        ...(limits === null ? [] : [`${gap}(${limits.join('')})`]),
        ...(architectures === null ? [] : [`${gap}[${gap}${architectures.join(' ')}]`]),
        ...(formula === null ? [] : [` ${formula}`]),
      ].join(''),
    );
}
/** Qualifiers that the dependencies of a binary package may have too. */
const PLAIN_QUALIFIERS = ['any', 'any', ...INSTALLABLE];
const relation = relationWith([...PLAIN_QUALIFIERS, 'native']);
export const field = fc
  .array(
    fc.array(relation, { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join(' | ')),
    { minLength: 1, maxLength: 3 },
  )
  .map((entries) => entries.join(', '));
/** A field with something in it that does not belong there. */
export const damaged = fc
  .tuple(field, fc.nat(), fc.constantFrom(...'()[]<>|:!=, x'), fc.nat({ max: 2 }))
  .map(([text, at, what, gone]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + what + text.slice(index + gone);
  });

const present = fc
  .record({
    name: fc.constantFrom(...NAMES),
    version: installedVersion,
    architectures: fc.oneof(
      fc.constantFrom('all', ...INSTALLABLE).map((one) => [one]),
      fc.subarray(INSTALLABLE, { minLength: 2 }),
    ),
    multiArch: fc.constantFrom('no', 'same', 'foreign', 'allowed'),
    provides: fc.constantFrom('aa', 'bb (= 1)', 'c+, d.d (= 2)', 'aa, bb'),
    isProvider: fc.boolean(),
  })
  // Only a package that is the same of each architecture can be there of several.
  .map(({ multiArch, architectures, ...one }) => ({
    ...one,
    architectures,
    multiArch: architectures.length > 1 ? 'same' : multiArch,
  }));

/** What is installed: some packages of several architectures, some that provide others. */
export const installed: fc.Arbitrary<Installed[]> = fc
  .record({ packages: fc.uniqueArray(present, { selector: ({ name }) => name, maxLength: 4 }), provide: fc.boolean() })
  .map(({ packages, provide }) =>
    packages.flatMap(({ architectures, isProvider, provides, ...one }) =>
      architectures.map((each) => ({
        ...one,
        architecture: each,
        provides: provide && isProvider ? provides : '',
      })),
    ),
  );

const alternatives = (one: fc.Arbitrary<string>) =>
  fc.array(one, { minLength: 1, maxLength: 2 }).map((several) => several.join(' | '));
/** A dependency, with its alternatives. */
export const wanted = alternatives(relation);
/** The same without `:native`, which only build dependencies have. */
export const plainlyWanted = alternatives(relationWith(PLAIN_QUALIFIERS));

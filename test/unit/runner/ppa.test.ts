import { describe, expect, it } from 'vitest';
import { aptSetupOptions, asksForApt } from '../../../src/runner/dependencies/aptSetupOptions.ts';
import { LAUNCHPAD } from '../../../src/runner/dependencies/ppa/Launchpad.ts';
import { fingerprintOf } from '../../../src/runner/dependencies/ppa/openPgpKey.ts';
import { labelOf, ppaOf, ppaSecrets } from '../../../src/runner/dependencies/ppa/ppa.ts';
import { sourceOfPpa } from '../../../src/runner/dependencies/ppa/sourceOfPpa.ts';

const FINGERPRINT = '0123456789ABCDEF0123456789ABCDEF01234567';

describe('a PPA', () => {
  it.each([
    ['ppa:o/n', { owner: 'o', distribution: 'ubuntu', name: 'n', credentials: null, fingerprint: null }],
    ['ppa:~o-1/a.b+c', { owner: 'o-1', distribution: 'ubuntu', name: 'a.b+c', credentials: null, fingerprint: null }],
    ['ppa:o/debian/n', { owner: 'o', distribution: 'debian', name: 'n', credentials: null, fingerprint: null }],
    [
      `ppa:me:s:cret@o/n:0x${FINGERPRINT.toLowerCase()}`,
      {
        owner: 'o',
        distribution: 'ubuntu',
        name: 'n',
        credentials: { user: 'me', token: 's:cret' },
        fingerprint: FINGERPRINT,
      },
    ],
  ])('%s', (text, ppa) => expect(ppaOf(text)).toEqual(ppa));

  it.each(['ppa:o', 'ppa:o/', 'ppa:O/n', 'ppa:o/n:12', 'ppa:o/../n', 'ppa:me@o/n', 'ppa:a/b/c/d', 'ppa:o/n x'])(
    'is not %s',
    (text) => expect(() => ppaOf(text)).toThrow('expected ppa:OWNER/NAME'),
  );

  it('that cannot be read is not repeated with its token', () => {
    expect(() => ppaOf('ppa:me:secret@o')).toThrow('--add-apt-source ppa:***@o: expected');
  });

  it('is among the sources that apt is given, by its name, and its token is a secret', () => {
    const given = { addAptSources: ['deb http://x sid main\nppa:me:secret@o/n', 'ppa:o/m'] };
    const options = aptSetupOptions(given);
    expect(options.ppas.map(labelOf)).toEqual(['ppa:o/n', 'ppa:o/m']);
    expect(options.sources.map(({ text }) => text)).toEqual(['deb http://x sid main']);
    expect(ppaSecrets(given.addAptSources)).toEqual(['secret']);
    expect(asksForApt(aptSetupOptions({ addAptSources: ['ppa:o/m'] }))).toBe(true);
  });
});

describe('the source of a PPA', () => {
  const signed = (text: string) => ({ ...ppaOf(text), key: 'KEY', fingerprint: FINGERPRINT });

  it('has packages and their sources, by the key of the PPA alone', () => {
    const key = '/etc/apt/keyrings/autopkgtest-ppa-o-ubuntu-a_b.asc';
    expect(sourceOfPpa(signed('ppa:o/a+b'), 'noble', LAUNCHPAD)).toEqual({
      key,
      list: 'autopkgtest-ppa-o-ubuntu-a_b.list',
      lines: ['deb', 'deb-src']
        .map((kind) => `${kind} [signed-by=${key}] http://ppa.launchpadcontent.net/o/a+b/ubuntu noble main`)
        .join('\n'),
      auth: null,
    });
  });

  it('of a private one has no credentials in it: those are where only apt reads them', () => {
    const { lines, auth } = sourceOfPpa(signed(`ppa:me:secret@o/n:${FINGERPRINT}`), 'noble', LAUNCHPAD);
    expect(lines).toContain('https://private-ppa.launchpadcontent.net/o/n/ubuntu noble main');
    expect(lines).not.toContain('secret');
    expect(auth).toEqual({
      file: '/etc/apt/auth.conf.d/autopkgtest-ppa-o-ubuntu-n.conf',
      text: 'machine private-ppa.launchpadcontent.net/o/n/ubuntu login me password secret',
    });
  });
});

describe('text that is no key', () => {
  const block = (body: string) =>
    `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${body}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
  it.each([
    ['<html>', 'no block of a public key'],
    [block('<html>'), 'not in base64'],
    [block(''), 'no packet of OpenPGP'],
    [block('AAAA'), 'no packet of OpenPGP'],
    [block('iAAAAAAAAAAA'), 'begins with no public key'],
    [block(Buffer.from([0x98, 200, 4, 0, 0, 0, 0, 0]).toString('base64')), 'ends within the key'],
    [block(Buffer.from([0x98, 4, 3, 0, 0, 0, 0, 0]).toString('base64')), 'of version 3'],
  ])('%j', (text, why) => expect(() => fingerprintOf(text)).toThrow(why));
});

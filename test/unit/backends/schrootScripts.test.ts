import { describe, expect, test } from 'vitest';
import { explainBegin } from '../../../src/backends/schroot/Session.ts';
import { copiedFiles, isMounted, withoutNews } from '../../../src/backends/schroot/scripts.ts';

const SAID = `I: Executing ‘00check setup-start ok’
I: 00check: STAGE=setup-start
I: Executing ‘05union setup-start ok’
I: Executing ‘10mount setup-start ok’
E: 10mount: a warning of mount
I: 10mount: mount: /proc bound on /run/schroot/mount/x/proc.
`;

describe('what a verbose schroot says', () => {
  test('its files are mounted once it goes on to the next script', () => {
    expect(isMounted('')).toBe(false);
    expect(isMounted(SAID)).toBe(false);
    expect(isMounted(`${SAID}I: Executing ‘15binfmt setup-start ok’\n`)).toBe(true);
  });

  test('and not where it takes back what it had mounted', () => {
    expect(isMounted(`${SAID}I: Executing ‘99check setup-stop fail’\n`)).toBe(false);
  });

  test('is only what it complains about, where it fails', () => {
    expect(withoutNews(SAID)).toBe('E: 10mount: a warning of mount\n');
  });
});

test('files that are copied into a session go where they come from, unless another place is named', () => {
  const list = '# a comment\n\n/etc/resolv.conf\n  /etc/hosts\t/etc/hosts.host\n';
  expect(copiedFiles(list)).toEqual(['/etc/resolv.conf', '/etc/hosts.host']);
});

describe('why no session was begun', () => {
  const gone = (file: string) => `W: ${file}: Failed to stat file: No such file or directory\n`;
  const codeOf = (stderr: string) => explainBegin('here', { status: 1, killedBy: null, stdout: '', stderr }).code;

  test('is not that somebody else took away a chroot or ended a session meanwhile', () => {
    const script = 'E: 05union: mount: wrong fs type\nE: here-1: Chroot setup failed: stage=setup-start\n';
    expect(codeOf(script)).toBe('setup-failed');
    expect(codeOf(`${gone('/etc/schroot/chroot.d/another')}${script}`)).toBe('setup-failed');
    expect(codeOf(`${gone('/var/lib/schroot/session/another-1')}${script}`)).toBe('setup-failed');
  });

  test('may be that what it is made of has gone', () => {
    expect(codeOf('E: here-1: Failed to stat file /srv/here: No such file or directory\n')).toBe('image-missing');
  });
});

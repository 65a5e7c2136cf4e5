import { describe, expect, test } from 'vitest';
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

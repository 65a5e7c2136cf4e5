import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type RunTestsOptions, UsageError } from '../../src/runner/index.ts';
import { bootableImage, debianImage, IMAGE_PATIENCE, IMAGE_USER } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { workplace } from '../support/workplace.ts';
import { makePackage, type PackageSpec } from './support/packages.ts';
import { runHere } from './support/runHere.ts';

type Options = Partial<Omit<RunTestsOptions, 'source' | 'outputDir'>>;

async function tested(spec: PackageSpec, options: Options, backend?: readonly string[]) {
  const place = workplace();
  const source = makePackage(place, 'pkg', spec);
  const outputDir = join(place, 'out');
  const run = await runHere({ source, outputDir, ...options }, backend);
  const read = (name: string) => (existsSync(join(outputDir, name)) ? readFileSync(join(outputDir, name), 'utf8') : '');
  return { ...run, read };
}

const PLAIN: PackageSpec = { control: 'Tests: a\nDepends:\n', tests: { a: 'echo tested\n' } };

describe('what is done to a testbed first', () => {
  test('ends the run with 20 where it fails, before any test', async () => {
    const { report, stdout, read } = await tested(PLAIN, { setupCommands: ['echo one', 'exit 3', 'echo never'] });
    expect(report).toMatchObject({
      exitCode: 20,
      outcomes: [],
      cause: { class: 'setup-failed', phase: 'provision', detail: 'testbed setup commands failed with status 3' },
    });
    expect(stdout()).toBe('one\n');
    expect(read('summary')).toContain('testbed setup commands failed with status 3');
  });

  test.each(['setupCommands', 'setupCommandsBoot'] as const)('blames the package with 100: %s', async (option) => {
    const { report, read } = await tested(PLAIN, { [option]: ['exit 100'] });
    expect(report).toMatchObject({ exitCode: 12, outcomes: [], cause: { class: 'bad-package' } });
    expect(read('summary')).toMatch(/^badpkg: testbed (boot )?setup commands failed with status 100$/m);
  });

  test('has the time that installing may take', async () => {
    const { report } = await tested(PLAIN, { setupCommands: ['exec sleep 600'], timeouts: { install: 1 } });
    expect(report).toMatchObject({
      exitCode: 16,
      cause: { class: 'deadline-expired', doing: 'running the setup commands' },
    });
  });

  test('is checked before there is a run', async () => {
    const file = join(workplace(), 'file');
    writeFileSync(file, '');
    await expect(tested(PLAIN, { copy: [`${file}.gone:/tmp/x`] })).rejects.toThrow(UsageError);
    await expect(tested(PLAIN, { copy: [file] })).rejects.toThrow('expected HOSTPATH:TESTBEDPATH');
    await expect(tested(PLAIN, { setupCommands: [workplace()] })).rejects.toThrow('cannot be read');
  });
});

describe('a run that may only take so long', () => {
  test('is ended where it takes longer, and that is the cause', async () => {
    const { report, stdout } = await tested(
      { control: 'Tests: a, b\nDepends:\n', tests: { a: 'echo begun; exec sleep 600\n', b: 'echo never\n' } },
      { timeout: 3 },
    );
    expect(report).toMatchObject({ exitCode: 16, outcomes: [], cause: { class: 'deadline-expired' } });
    expect(report.cause?.detail).toBe('the run took more than 3 s (--timeout)');
    expect(stdout()).toBe('begun\n');
  });
});

const WHO: PackageSpec = {
  control: [
    'Tests: ordinary\nDepends:\n',
    'Tests: root\nDepends:\nRestrictions: needs-root\n',
    'Tests: sudo\nDepends:\nRestrictions: needs-sudo\n',
    'Tests: after\nDepends:\n',
  ].join('\n'),
  tests: {
    ordinary: 'id -un; touch "$HOME/mine"; cat /etc/mark\n',
    root: 'id -un; echo "$AUTOPKGTEST_NORMAL_USER"; cat /etc/mark; ls -A /home/*/mine 2>/dev/null || echo put back\n',
    sudo: 'id -un; id -Gn; sudo id -un; sudo -u "$(id -un)" id -un\n',
    after: 'id -Gn; sudo -n true 2>/dev/null || echo no\n',
  },
};

describeWith(['systemd-nspawn', 'mmdebstrap', 'root', 'overlay'], 'users in a testbed that can be put back', () => {
  let image: string;
  beforeAll(() => {
    image = bootableImage();
  }, IMAGE_PATIENCE);

  const setup = { setupCommands: ['echo "$AUTOPKGTEST_NORMAL_USER" >/etc/mark; chmod 644 /etc/mark'] };

  test('are the one that it has, root, and one with sudo for a test that wants it', async () => {
    const { report, read } = await tested(WHO, setup, ['nspawn', image]);
    expect(report).toMatchObject({ exitCode: 0 });
    expect(read('ordinary-stdout')).toBe(`${IMAGE_USER}\n${IMAGE_USER}\n`);
    expect(read('root-stdout')).toBe(`root\n${IMAGE_USER}\n${IMAGE_USER}\nput back\n`);
    expect(read('sudo-stdout')).toBe(`${IMAGE_USER}\n${IMAGE_USER} sudo\nroot\n${IMAGE_USER}\n`);
    expect(read('after-stdout')).toBe(`${IMAGE_USER}\nno\n`);
  });

  test(
    'are root and one that was made, where it has none',
    async () => {
      const control = `${WHO.control?.split('\n\n').slice(0, 2).join('\n\n')}\n`;
      const { report, read } = await tested({ ...WHO, control }, setup, ['nspawn', debianImage()]);
      expect(report).toMatchObject({ exitCode: 0 });
      expect(read('ordinary-stdout')).toBe('test\ntest\n');
      expect(read('root-stdout')).toBe('root\ntest\ntest\nput back\n');
    },
    IMAGE_PATIENCE,
  );

  const boot = 'cut -d " " -f 22 /proc/1/stat';

  test.each([
    ['is rebooted after commands that affect the boot', '', '1\n'],
    ['is not, where they say so', 'touch /run/autopkgtest_no_reboot.stamp', '0\n'],
  ])(
    'one with an init %s',
    async (_, more, rebooted) => {
      const { report, read } = await tested(
        {
          control: 'Tests: a\nDepends:\n',
          tests: { a: `${boot} | grep -vcFx "$(cat /var/before)" || :\ncat /var/booted; cat /var/kept\n` },
        },
        {
          setupCommands: [`${boot} >/var/before; echo kept >/var/kept; : >/etc/systemd/system/x; ${more}`],
          setupCommandsBoot: ['echo booted >>/var/booted'],
        },
        ['nspawn', '--boot', image],
      );
      expect(report).toMatchObject({ cause: null });
      expect(read('a-stdout')).toBe(`${rebooted}booted\nkept\n`);
    },
    IMAGE_PATIENCE,
  );
});

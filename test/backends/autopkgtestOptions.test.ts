import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Option } from 'commander';
import { expect, test } from 'vitest';
import { BUILT_IN_NAMES, loadBackend } from '../../src/backends/loadBackend.ts';
import { parserOf } from '../../src/backends/optionParser.ts';
import { describeWith } from '../support/needs.ts';

/** Servers of which there is no backend; the documentation says what does the same. */
const WITHOUT_BACKEND = ['qemu'];

/** What 6.0 has besides; CI installs 5.28. */
const OF_6_0: Readonly<Record<string, readonly string[]>> = {
  null: ['--retain-tmp', '--fake-capability CAPABILITY'],
  unshare: ['--bootstrapcmd COMMAND', '-m MIRROR, --mirror MIRROR'],
  lxc: ['-P PATH, --lxcpath PATH'],
  lxd: ['--lxd', '--incus', '--name NAME', '--delete-existing'],
  incus: ['-d, --debug', '-r REMOTE, --remote REMOTE', '--lxd', '--incus', '--vm', '--name NAME', '--delete-existing'],
  podman: ['--no-init'],
  docker: ['--no-init'],
};

const PAGE = readFileSync(new URL('../../docs/autopkgtest.md', import.meta.url), 'utf8');

/** An option as argparse tells of it: `-b OUTSIDE INSIDE, --bind OUTSIDE INSIDE`. */
interface Theirs {
  readonly forms: readonly string[];
  readonly words: number;
}

function read(line: string): Theirs {
  const forms = line.split(', ').map((form) => form.split(' '));
  return { forms: forms.map(([name = '']) => name), words: (forms[0]?.length ?? 1) - 1 };
}

/** What a server of this machine says that it takes. */
function installed(server: string): Theirs[] {
  const help = execFileSync(`autopkgtest-virt-${server}`, ['--help'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '200', LC_ALL: 'C.UTF-8' },
  });
  const [, options = ''] = help.split(/^(?:options|optional arguments):$/m);
  return [...options.matchAll(/^ {2}(-.*?)(?: {2,}|$)/gm)].map(([, line = '']) => read(line));
}

/** What is wrong with how a backend takes an option of theirs; null where nothing is. */
async function wrong(name: string, { forms, words }: Theirs): Promise<string | null> {
  if (forms.includes('--help')) return null;
  const backend = await loadBackend(name);
  const option = forms.join(', ');
  const refused = Object.keys(backend.help?.refused ?? {}).flatMap((key) => key.split(', '));
  if (forms.every((form) => refused.includes(form))) {
    const told = forms.every((form) => PAGE.includes(`\`${form}\``));
    return told ? null : `${name} refuses ${option}, and docs/autopkgtest.md does not tell`;
  }
  const ours: (Option | undefined)[] = forms.map((form) =>
    parserOf(backend).options.find(({ short, long }) => form === short || form === long),
  );
  const [first] = ours;
  if (first === undefined || ours.some((each) => each?.long !== first.long)) return `${name} does not know ${option}`;
  if (first.required === words > 0) return null;
  return `${name} takes ${option} ${first.required ? 'with' : 'without'} a word`;
}

describeWith(['autopkgtest'], "the options of autopkgtest's servers", () => {
  const servers = readdirSync('/usr/bin').flatMap((name) => /^autopkgtest-virt-(\w+)$/.exec(name)?.[1] ?? []);

  test('have a backend each, or are told to have none', () => {
    const names = [...BUILT_IN_NAMES, ...WITHOUT_BACKEND];
    expect(servers.filter((server) => !names.includes(server))).toEqual([]);
    expect(servers.length).toBeGreaterThan(9);
    for (const name of WITHOUT_BACKEND) expect(PAGE).toContain(`\`${name}\``);
  });

  test.each(servers.filter((server) => !WITHOUT_BACKEND.includes(server)))(
    'are all taken by %s, or refused with what does the same',
    async (server) => {
      const theirs = installed(server);
      expect(theirs.flatMap(({ forms }) => forms)).toContain('--debug');
      const complaints = await Promise.all(theirs.map((option) => wrong(server, option)));
      expect(complaints.filter((complaint) => complaint !== null)).toEqual([]);
    },
  );
});

test.each(Object.entries(OF_6_0))('so are those that 6.0 has besides: %s', async (server, lines) => {
  const complaints = await Promise.all(lines.map((line) => wrong(server, read(line))));
  expect(complaints.filter((complaint) => complaint !== null)).toEqual([]);
});

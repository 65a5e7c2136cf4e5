import { expect, it } from 'vitest';
import type { TestbedSession } from '../../../src/runner/session/TestbedSession.ts';
import { unpack } from '../../../src/runner/sources/unpack.ts';

/** What is installed for a clone in a testbed that has git, and these packages. */
async function installedFor(url: string, apt: object | null = {}, there: readonly string[] = []): Promise<string[]> {
  const installed: string[] = [];
  const done = async () => ({ status: 0, signal: null, stdout: '', stderr: '' });
  const steps = { must: done, ask: done, show: done };
  const session = {
    ...{ apt, workspace: { steps, scratch: '/tmp/x', owner: 'root', facts: { architecture: 'amd64' } } },
    installed: async () => ({ byName: new Map(there.map((name) => [name, []])) }),
    soil: () => installed.push('soiled'),
    install: async (depends: { text: string }[][]) => {
      installed.push(...depends.flat().map(({ text }) => text));
      return { kind: 'ready' };
    },
  };
  await unpack(session as unknown as TestbedSession, { kind: 'git-source', argument: url, url, branch: null }, {});
  return installed;
}

it.each([
  ['https://example.org/hello.git', ['soiled', 'ca-certificates']],
  ['ssh://git@example.org/hello.git', []],
])('a testbed with git is given the certificates that %s needs: %j', async (url, packages) => {
  expect(await installedFor(url)).toEqual(packages);
});

it('a testbed that has them stays as it is', async () => {
  expect(await installedFor('https://example.org/hello.git', {}, ['ca-certificates'])).toEqual([]);
});

it('a testbed in which nothing can be installed clones with what it has', async () => {
  expect(await installedFor('https://example.org/hello.git', null)).toEqual([]);
});

import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeProject } from '../support/examples.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { cli, ownState, root } from './support/cli.ts';

const WORDS = 'echo x >/etc/trundle-was-here && cat /etc/trundle-was-here';

describeWith(['sshd', 'root', 'overlay'], 'the third-party backend of examples/', () => {
  test('runs by its path', async () => {
    const project = forThisTest(makeProject());
    project.add('trundle-backend-overlay', 'mine');
    const end = await cli(['exec', WORDS, '--', './mine/index.js'], { cwd: project.directory, env: ownState() });
    expect(end).toEqual({ status: 0, signal: null, stdout: 'x\n', stderr: '' });
  });

  test('runs by its name, once npm has installed it', async () => {
    const parcels = workplace();
    const example = join(root, 'examples/trundle-backend-overlay');
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', parcels], { cwd: example });
    const [{ filename }] = JSON.parse(packed.toString());
    // npm tidies away what it did not install, so Trundle comes after it.
    const how = ['--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', '--no-save'];
    const directory = workplace();
    execFileSync('npm', ['install', ...how, join(parcels, filename)], { cwd: directory, stdio: 'pipe' });
    symlinkSync(root, join(directory, 'node_modules/trundle'));
    const end = await cli(['exec', WORDS, '--', 'overlay'], { cwd: directory, env: ownState() });
    expect(end).toEqual({ status: 0, signal: null, stdout: 'x\n', stderr: '' });
    const list = await cli(['backends', 'overlay'], { cwd: directory, env: ownState() });
    expect(list.status).toBe(0);
    expect(list.stdout).toContain('--size <text>');
  });
});

describe('the embedding of examples/', () => {
  test('passes its own tests, in a project of its own', () => {
    const project = forThisTest(makeProject());
    project.add('embedding', '.');
    project.add('hello');
    project.link('vitest', '@types/node');
    const runner = join(project.directory, 'node_modules/vitest/vitest.mjs');
    const said = execFileSync(process.execPath, [runner, 'run', '--no-color'], {
      cwd: project.directory,
      stdio: 'pipe',
    });
    expect(said.toString()).toMatch(/Tests +3 passed/);
  });
});

describe('the watching of examples/', () => {
  test('shows an actor system of its own on a page', () => {
    const project = forThisTest(makeProject());
    const example = project.add('watching');
    project.link('xstate');
    const said = execFileSync(process.execPath, [join(example, 'index.js')], { cwd: project.directory, stdio: 'pipe' });
    expect(said.toString()).toMatch(/^watch it at http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/\nthe light is red\n$/);
  });
});

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LOOK_AFTER, leftByTest } from '../../../src/runner/session/leftByTest.ts';
import { REMOVAL } from '../../../src/runner/session/removal.ts';
import { KEEPER_SCRIPT } from '../../../src/runner/session/ScratchKeeper.ts';
import { describeWith } from '../../support/needs.ts';
import { workplace } from '../../support/workplace.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** Runs a script as somebody who is not root: modes say nothing to root. */
function run(script: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env, input = '') {
  const who = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  return spawnSync('sh', ['-c', script, 'sh', ...words], { ...who, cwd: '/', env, input, encoding: 'utf8' });
}

/** A directory of theirs. */
function theirs(path: string, mode = 0o755): string {
  mkdirSync(path);
  if (isRoot) chownSync(path, NOBODY, NOBODY);
  chmodSync(path, mode);
  return path;
}

/** A directory of theirs, for the running test. */
function theirPlace(): string {
  const place = workplace();
  chmodSync(place, 0o755);
  return theirs(join(place, 'place'));
}

/** What Go makes of its module cache, and what nobody may even look into. */
const LOCK =
  'cd "$1" && mkdir -p mod/x@v1 hidden/deep && : >mod/x@v1/f && : >hidden/deep/f && chmod -R a-w mod && chmod 0 hidden';

describe('what a test leaves in directories that their owner may not write', () => {
  it('is removed, and a file that has another name elsewhere keeps its mode', () => {
    const place = theirPlace();
    const left = theirs(join(place, 'left'));
    writeFileSync(join(place, 'else'), '');
    linkSync(join(place, 'else'), join(left, 'same'));
    chmodSync(join(place, 'else'), 0o400);
    expect(run(LOCK, [left])).toMatchObject({ status: 0, stderr: '' });

    expect(run(`${REMOVAL}\nremove "$1"`, [left])).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(left)).toBe(false);
    expect(statSync(join(place, 'else')).mode & 0o777).toBe(0o400);
  });

  it('does not keep its verdict from being told', () => {
    const place = theirPlace();
    const [artifacts, temporary] = [theirs(join(place, 'artifacts')), theirs(join(place, 'temporary'))];
    run(LOCK, [temporary]);

    const { status, stdout } = run(LOOK_AFTER, [artifacts, temporary, '']);
    expect({ status, ...leftByTest(stdout) }).toMatchObject({ status: 0, artifacts: false, tidy: true });
    expect(readdirSync(place)).toEqual([]);
  });

  it('goes with the scratch directory', () => {
    const place = theirPlace();
    const input = ` ${LOCK.replace('$1', '$scratch')}\nrun 1\n`;
    const { status } = run(KEEPER_SCRIPT, ['755'], { PATH: process.env.PATH ?? '', TMPDIR: place }, input);
    expect(status).toBe(0);
    expect(readdirSync(place)).toEqual([]);
  });
});

describeWith(['root'], "what a test leaves that is another user's", () => {
  it('makes room for the next test, each time', () => {
    const place = theirPlace();
    for (const name of ['left', 'left.left1']) {
      mkdirSync(join(place, name));
      writeFileSync(join(place, name, 'file'), '');
    }
    expect(run(`${REMOVAL}\nset -e\nclear_away "$1"`, [join(place, 'left')])).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(place).sort()).toEqual(['left.left1', 'left.left2']);
  });

  it('is told of where the scratch directory stays for it', () => {
    const place = theirPlace();
    const scratch = theirs(join(place, 'scratch'));
    mkdirSync(join(scratch, 'left'));
    writeFileSync(join(scratch, 'left', 'file'), '');
    const script = KEEPER_SCRIPT.replace('mkdir -m "$1" "$scratch"', ':');
    expect(run(script, ['755', '', scratch], process.env, 'goodbye\n').status).toBe(1);
  });
});

import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestProject } from 'vitest/node';
import { debianImage, imageDirectory } from '../../../support/images.ts';
import { have } from '../../../support/needs.ts';
import { makeOrdinaryUser } from '../../../support/ordinaryUser.ts';
import { RECORDED, recording } from '../parity/recorded.ts';
import './pool.ts';

/** How often it is looked for what is left of the account, and how many milliseconds lie between. */
const LOOKS = 100;
const BETWEEN = 100;

/** Before the contract is asked as an ordinary user: makes the account, and with it its cache of images. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Whoever is no root is ordinary already. Where there is no useradd, the tests say so.
  if (!have('root') || !have('useradd')) return undefined;
  makeImage();
  const user = makeOrdinaryUser();
  const [uid = 0, gid = 0] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, user.login])));
  const temporary = join(user.home, 'tmp');
  mkdirSync(temporary);
  chownSync(temporary, uid, gid);
  if (recording) chownSync(RECORDED, uid, gid);
  project.provide('account', { login: user.login, home: user.home, temporary, images: imageDirectory() });
  return async () => {
    if (recording) chownSync(RECORDED, 0, 0);
    try {
      await expectGone(uid, user.login, temporary);
    } finally {
      user[Symbol.dispose]();
    }
  };
}

/** The image is root's, as for all other tests. */
function makeImage(): void {
  if (!have('mmdebstrap')) return;
  try {
    debianImage();
  } catch (error) {
    // Each test that needs it fails, and says the same; the others go on.
    process.stderr.write(`${(error as Error).message}\n`);
  }
}

/** Seen from outside, by root: nothing runs as the account or by an id of its own any more, and no file is left. */
async function expectGone(uid: number, login: string, temporary: string): Promise<void> {
  for (let look = 1; ; look++) {
    const left = [...processesOf(idsOf(uid, login)), ...readdirSync(temporary)];
    if (left.length === 0) return;
    if (look === LOOKS) {
      process.exitCode = 1;
      throw new Error(`tests of an ordinary user left behind: ${left.join('; ')}`);
    }
    // A process that was killed takes a moment to die.
    await delay(BETWEEN);
  }
}

/** The ids that an account may use, as first and last of each range. */
function idsOf(uid: number, login: string): (readonly [first: number, last: number])[] {
  const rows = readFileSync('/etc/subuid', 'utf8').split('\n');
  const own = rows.map((row) => row.split(':')).filter(([name]) => name === login);
  return [[uid, uid], ...own.map(([, first, count]) => [Number(first), Number(first) + Number(count) - 1] as const)];
}

function processesOf(ranges: ReturnType<typeof idsOf>): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
        const isTheirs = ranges.some(([first, last]) => uid >= first && uid <= last);
        return isTheirs ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : [];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

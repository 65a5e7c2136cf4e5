import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { filter, firstValueFrom } from 'rxjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { configureBackend } from '../../src/backends/index.ts';
import { createRun, type Run, type Testbed, TestbedError } from '../../src/testbed/index.ts';
import { startSshServer } from '../faults/support/sshServer.ts';
import { bootableImage, IMAGE_PATIENCE, IMAGE_USER, tinyImage } from '../support/images.ts';
import { describeWith } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';
import { open } from './support/open.ts';

/** What a program does in a testbed, and tells of it: the same again where the testbed does the same. */
type Program = (testbed: Testbed) => Promise<unknown>;

/** Runs a program on a testbed that is recorded, and again on the recording. */
async function twice(words: readonly string[], program: Program, ...more: string[]) {
  const recording = await open(words);
  const recorded = await told(recording.testbed, program);
  const recordedEnd = await recording.testbed.close();
  const playing = await open(['replay', recording.trace, ...more]);
  const replayed = await told(playing.testbed, program);
  const replayedEnd = await playing.testbed.close();
  const end = ({ cause, leftovers }: typeof recordedEnd) => ({ class: cause?.class ?? null, leftovers });
  return { recorded: [recorded, end(recordedEnd)], replayed: [replayed, end(replayedEnd)], ...recording };
}

async function told(testbed: Testbed, program: Program): Promise<unknown> {
  try {
    return await program(testbed);
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    const { class: causeClass, phase, doing, detail } = error.cause;
    return { causeClass, phase, doing, detail, result: error.result };
  }
}

/** A terminal that keeps what it shows. */
function terminal() {
  let shown = '';
  const stdout = new PassThrough();
  stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  return { stdout, shown: () => shown };
}

describe('on a recorded testbed a program of its own sees', () => {
  test('commands with their output, their status and their signal', async () => {
    const both = await twice(['null'], async (testbed) => [
      await testbed.exec(['printf', '%s|', 'a b', "it's", '$HOME', '']),
      await testbed.exec('echo out; echo err >&2; exit 7'),
      await testbed.exec('cat; echo "$COLOUR"; pwd', { stdin: 'given\n', env: { COLOUR: 'blue' }, cwd: '/' }),
      await testbed.exec('kill -SEGV $$'),
      (await testbed.exec('seq 1 50000')).stdout.length,
      (await testbed.exec(['sh', '-c', `# ${'x'.repeat(5000)}\necho long`])).stdout,
    ]);
    expect(both.recorded[0]).toMatchObject([
      { status: 0 },
      { status: 7 },
      { stdout: 'given\nblue\n/\n' },
      { signal: 'SEGV' },
      288894,
      'long\n',
    ]);
    expect(both.replayed).toEqual(both.recorded);
  });

  test('commands beside each other, in whatever order it asks for them', async () => {
    const recording = await open(['null']);
    const lines = ['echo a; sleep 0.2; echo b', 'echo c >&2', 'exit 4'];
    const all = (testbed: Testbed, order: readonly string[]) =>
      Promise.all(order.map(async (line) => [line, await testbed.exec(line)] as const)).then((ends) => new Map(ends));
    const recorded = await all(recording.testbed, lines);
    await recording.testbed.close();
    const playing = await open(['replay', recording.trace]);
    expect(await all(playing.testbed, lines.toReversed())).toEqual(recorded);
  });

  test('a command that runs into its limit, one that is called off, and a process that outlives one', async () => {
    const both = await twice(['null'], async (testbed) => {
      const limited = await told(testbed, () => testbed.exec('echo begun; exec sleep 1000', { timeout: 300 }));
      const controller = new AbortController();
      const running = testbed.start('echo begun; exec sleep 1000', { signal: controller.signal });
      running.stdout.once('data', () => controller.abort());
      const { result } = await running.ended;
      const swept = await testbed.exec('sleep 1000 >/dev/null 2>&1 & echo left', { sweep: true });
      return [limited, result, swept];
    });
    expect(both.recorded[0]).toMatchObject([
      { result: { kind: 'timed-out' } },
      { kind: 'cancelled' },
      { stdout: 'left\n', leaked: true },
    ]);
    expect(both.replayed).toEqual(both.recorded);
  });

  test('a shell on a terminal', async () => {
    const both = await twice(['null'], async (testbed) => {
      const { stdout, shown } = terminal();
      const stdin = new PassThrough();
      const line = 'stty size; read -r word; echo "read $word"; exit 6';
      const ended = testbed.shell({ stdin, stdout, size: { columns: 91, rows: 17 }, line });
      stdin.write('hello\n');
      return [(await ended).result, shown()];
    });
    expect(both.recorded[0]).toEqual([{ kind: 'exited', status: 6 }, expect.stringContaining('17 91')]);
    expect(both.replayed).toEqual(both.recorded);
  });

  test('a login shell that is called off', async () => {
    const both = await twice(['null'], async (testbed) => {
      const { stdout } = terminal();
      const controller = new AbortController();
      const { signal } = controller;
      stdout.once('data', () => controller.abort());
      const ended = testbed.shell({ stdin: new PassThrough(), stdout, size: { columns: 80, rows: 24 }, signal });
      return (await ended).result;
    });
    expect(both.recorded[0]).toEqual({ kind: 'cancelled' });
    expect(both.replayed).toEqual(both.recorded);
  });

  test('the login shell itself', async () => {
    const both = await twice(['null'], async (testbed) => {
      const { stdout, shown } = terminal();
      const stdin = new PassThrough();
      const ended = testbed.shell({ stdin, stdout, size: { columns: 80, rows: 24 } });
      stdin.write('echo so-it-$((6 * 7))-is; exit 5\n');
      return [(await ended).result, shown().includes('so-it-42-is')];
    });

    expect(both.recorded[0]).toEqual([{ kind: 'exited', status: 5 }, true]);
    expect(both.replayed).toEqual(both.recorded);
  });

  test('copies come and go, with nothing in them, and one that fails', async () => {
    const place = workplace();
    mkdirSync(join(place, 'from'));
    writeFileSync(join(place, 'from/file'), 'x'.repeat(100_000));
    const both = await twice(['null'], async (testbed) => {
      const target = join(place, 'to');
      await testbed.copyDown(`${join(place, 'from')}/`, `${target}/`);
      await testbed.copyDown(join(place, 'from/file'), join(target, 'single'));
      await testbed.copyUp(`${target}/`, `${join(place, 'back')}/`);
      const missing = await told(testbed, async () => testbed.copyUp('/no/such/file', join(place, 'never')));
      return [await testbed.exec(['wc', '-c', join(target, 'file')]), missing];
    });
    expect(both.recorded[0]).toMatchObject([{ status: 0 }, { causeClass: 'copy-failed' }]);
    expect(both.replayed).toEqual(both.recorded);
  });

  test('several testbeds of a run at the same time, each its own answers', async () => {
    const place = workplace();
    const both = async (words: readonly string[], trace: string): Promise<unknown[]> => {
      const run = createRun({ trace });
      try {
        const backend = await configureBackend(words);
        const testbeds = [await run.openTestbed(backend), await run.openTestbed(backend)];
        return await Promise.all(
          testbeds.map(async (testbed, index) => [
            testbed.id,
            await testbed.exec(`echo testbed ${index}; exit ${index}`),
          ]),
        );
      } finally {
        await run.close();
      }
    };
    const recorded = await both(['null'], join(place, 'recorded'));
    expect(recorded).toMatchObject([
      ['tb1', { stdout: 'testbed 0\n' }],
      ['tb2', { status: 1 }],
    ]);
    expect(await both(['replay', join(place, 'recorded')], join(place, 'replayed'))).toEqual(recorded);
  });

  test('where it goes another way, which of its commands it was, what was recorded, and where they part', async () => {
    const rounds = ['first', 'second'];
    const both = await twice(['null'], async (testbed) => {
      await testbed.exec('true');
      return await testbed.exec(`${'x=1; '.repeat(200)}echo ${rounds.shift()} round`);
    });
    expect(both.recorded[1]).toMatchObject({ class: null });
    expect(both.replayed[0]).toMatchObject({ causeClass: 'replay-diverged' });
    const { detail } = both.replayed[0] as { detail: string };
    expect(detail).toMatch(
      /^the program's command 2 is: \.{3}.{0,40}echo second round; recorded as event \d+: command tb1\.x2: \.{3}.{0,40}echo first round$/,
    );
  });

  test('nothing of what came of a signal that ended the recorded run', async () => {
    const line = 'echo begun; exec sleep 1000';
    let run: Run | undefined;
    const recording = await open(['null'], {
      onRun: (begun) => {
        run = begun;
      },
    });
    const controller = new AbortController();
    const running = recording.testbed.start(line, { signal: controller.signal });
    running.stdout.once('data', () => {
      run?.emit({ type: 'operator.signalled', testbed: null, from: 'operator', signal: 'SIGTERM', count: 1 });
      controller.abort();
    });
    expect(await running.ended).toMatchObject({ result: { kind: 'cancelled' } });
    await recording.testbed.close();
    const playing = await open(['replay', recording.trace]);
    expect(await told(playing.testbed, (testbed) => testbed.exec(line))).toMatchObject({
      causeClass: 'replay-diverged',
      detail: expect.stringMatching(/^the recorded run was interrupted here by SIGTERM \(event \d+\)/),
    });
  });

  test('with --loose the recorded answers in order, whatever it asks', async () => {
    const rounds = ['first', 'second'];
    const both = await twice(
      ['null'],
      async (testbed) => [await testbed.exec(`echo ${rounds.shift()}`), await testbed.exec('echo last')],
      '--loose',
    );
    expect(both.recorded[0]).toMatchObject([{ stdout: 'first\n' }, { stdout: 'last\n' }]);
    expect(both.replayed).toEqual(both.recorded);
  });
});

describeWith(['sshd', 'tar'], 'on a recording of a hostile testbed', () => {
  test('an archive that was refused is refused again, for the same member', async () => {
    const place = workplace();
    mkdirSync(join(place, 'bin'));
    writeFileSync(
      join(place, 'bin/tar'),
      '#!/bin/sh\nexec /usr/bin/tar --create --file=- --format=gnu -P --transform=s,^,../, -C / etc/hostname\n',
      { mode: 0o755 },
    );
    const { address, identity, hostKey } = forThisTest(
      await startSshServer([`SetEnv PATH=${join(place, 'bin')}:/usr/bin:/bin`]),
    );
    const words = ['ssh', '-H', address.host, '-p', String(address.port), '-i', identity, '--host-key', hostKey];
    const both = await twice(words, (testbed) => testbed.copyUp('/usr/', `${join(place, 'out')}/`));
    expect(both.recorded[0]).toMatchObject({ causeClass: 'hostile-archive', detail: expect.stringContaining('..') });
    expect(both.replayed).toEqual(both.recorded);
  });
});

describeWith(['root', 'unshare', 'busybox', 'tar'], 'on a recording of a testbed that was put back', () => {
  test('the program sees it as it was, and then as it was before', async () => {
    vi.stubEnv('XDG_CACHE_HOME', workplace());
    const image = tinyImage(join(workplace(), 'tiny.tar'));
    const both = await twice(['unshare', '--tarball', image], async (testbed) => {
      const seen = [await testbed.exec('echo x >/etc/x; cat /etc/x')];
      for (let times = 0; times < 2; times++) {
        await testbed.revert();
        seen.push(await testbed.exec('test -e /etc/x'));
      }
      return [testbed.capabilities, seen];
    }).finally(() => vi.unstubAllEnvs());
    expect(both.recorded[0]).toMatchObject([
      ['root-on-testbed', 'revert', 'revert-full-system'],
      [{ stdout: 'x\n' }, { status: 1 }, { status: 1 }],
    ]);
    expect(both.replayed).toEqual(both.recorded);
  });
});

describeWith(['root', 'systemd-nspawn', 'mmdebstrap', 'overlay'], 'on a recording of a testbed with an init', () => {
  let image = '';
  beforeAll(() => {
    image = bootableImage();
  }, IMAGE_PATIENCE);

  test('the program reboots it, logs in as somebody else, and finds what it found', async () => {
    const both = await twice(['nspawn', '--boot', image], async (testbed) => {
      const before = await testbed.exec('touch ~/kept; cat /proc/1/stat | cut -d" " -f22');
      await testbed.reboot();
      const after = await testbed.exec('ls ~/kept; cat /proc/1/stat | cut -d" " -f22');
      const other = await testbed.exec('id -un', { login: IMAGE_USER });
      await testbed.reboot();
      return [before, after, other, (await testbed.exec('echo up')).stdout];
    });
    expect(both.recorded[0]).toMatchObject([{ status: 0 }, { status: 0 }, { stdout: `${IMAGE_USER}\n` }, 'up\n']);
    expect(both.replayed).toEqual(both.recorded);
  });

  test('the guest that went down by itself goes down again', async () => {
    const both = await twice(['nspawn', '--boot', image], async (testbed) => {
      const stopped = firstValueFrom(testbed.events$.pipe(filter(({ type }) => type === 'guest.stopped')));
      const { result } = await testbed.start('systemctl reboot; sleep 1000').ended;
      return [result, (await stopped).type];
    });
    expect(both.recorded[0]).toMatchObject([{ kind: 'lost' }, 'guest.stopped']);
    expect(both.recorded[1]).toMatchObject({ class: 'testbed-died' });
    expect(both.replayed).toEqual(both.recorded);
  });
});

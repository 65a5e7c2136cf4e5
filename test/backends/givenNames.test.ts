import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Cli, cli } from '../e2e/support/cli.ts';
import { bootable } from '../faults/support/providers.ts';
import { defineChroot } from '../support/chroots.ts';
import { scriptAt } from '../support/containers.ts';
import { IMAGE_PATIENCE, tinyImage, tinyRoot } from '../support/images.ts';
import { defineTemplate } from '../support/lxcTemplate.ts';
import { startInstanceDaemon } from '../support/lxd.ts';
import { describeWith, findProgram, type Need } from '../support/needs.ts';
import { forThisTest, workplace } from '../support/workplace.ts';

const NAME = `trundle-given-${process.pid}`;

/** A backend whose testbeds may be given a name, and how a person deals with what bears it. */
interface Kind {
  readonly name: string;
  readonly needs: readonly Need[];
  set(): Promise<Place>;
}

interface Place {
  /** The backend's words, for a testbed that is called {@link NAME}. */
  readonly words: readonly string[];
  readonly resource: string;
  isThere(): boolean;
  /** Removes what bears the name, as the error name-in-use says. */
  readonly remove: readonly string[];
}

const schroot = {
  name: 'schroot',
  needs: ['root', 'schroot', 'busybox', 'overlay'],
  async set() {
    const { name } = forThisTest(
      defineChroot((directory) => ({
        type: 'directory',
        directory: tinyRoot(join(directory, 'root')),
        'union-type': 'overlay',
      })),
    );
    const session = `session:${NAME}`;
    const remove = ['schroot', '--end-session', '--chroot', session];
    const list = ['--list', '--all-sessions'];
    return {
      words: ['schroot', '--session-id', NAME, name],
      resource: 'session',
      isThere: () => spawnSync('schroot', list, { encoding: 'utf8' }).stdout.split('\n').includes(session),
      /** What somebody begins by hand. */
      begin: ['schroot', '--begin-session', '--chroot', name, '--session-name', NAME],
      remove,
    };
  },
} satisfies Kind;

const lxc: Kind = {
  name: 'lxc',
  needs: ['root', 'lxc-start', 'rsync', 'busybox', 'overlay'],
  async set() {
    const { lxcpath, name } = defineTemplate((rootfs) => {
      mkdirSync(join(tinyRoot(rootfs), 'sbin'));
      symlinkSync('../bin/busybox', join(rootfs, 'sbin/init'));
    });
    return {
      words: ['lxc', '--lxcpath', lxcpath, '--name', NAME, name],
      resource: 'container',
      isThere: () => readdirSync(lxcpath).includes(NAME),
      remove: ['lxc-destroy', '--force', '--lxcpath', lxcpath, '--name', NAME],
    };
  },
};

function ofDaemon(name: 'lxd' | 'incus'): Kind {
  return {
    name,
    needs: ['root', name, 'pid-namespace', 'busybox', 'tar'],
    async set() {
      const daemon = forThisTest(await startInstanceDaemon(name));
      const image = daemon.image(tinyImage(join(workplace(), 'tiny.tar'), bootable));
      return {
        words: [name, '--program', daemon.program, '--name', NAME, '--session=stand-in', image],
        resource: 'container',
        isThere: () => daemon.run('list', '--format=csv', '--columns=n').split('\n').includes(NAME),
        remove: [daemon.program, 'delete', '--force', NAME],
      };
    },
  };
}

/** Removes by hand. */
function run([program = '', ...args]: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

for (const { name, needs, set } of [schroot, lxc, ofDaemon('lxd'), ofDaemon('incus')] satisfies Kind[]) {
  describeWith([...needs, 'proc'], `a name that was given to ${name}`, () => {
    test(
      'has reap remove what bears it only where that is of the run that was killed',
      async () => {
        const place = await set();
        const named = { kind: place.resource, name: NAME };
        const env = { TMPDIR: workplace(), XDG_STATE_HOME: workplace() };
        const start = (...line: string[]) =>
          new Cli(['exec', 'sh', '-c', ...line, '--', ...place.words], { env, stdin: null });
        const killed = async () => {
          const running = start('echo up; read line');
          await running.says('up');
          running.kill('SIGKILL');
          await running.ended;
          expect(place.isThere()).toBe(true);
        };
        const reaped = async () => JSON.parse((await cli(['reap', '--json'], { env })).stdout).runs;

        await killed();
        const [own] = await reaped();
        expect(own).toMatchObject({ outcome: 'finished', gone: [], left: [], concluded: true });
        expect(own.released).toContainEqual(expect.objectContaining(named));
        expect(place.isThere()).toBe(false);

        await killed();
        run(place.remove);
        const second = start('echo up; read line; echo "$line"');
        await second.says('up');
        const runs = await reaped();
        expect(runs.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['clean', 'finished', 'alive']);
        const reason = expect.stringContaining('not');
        expect(runs[1]).toMatchObject({ gone: [{ ...named, reason }], left: [], concluded: true });
        expect(runs[1].released).not.toContainEqual(expect.objectContaining({ kind: place.resource }));
        second.process.stdin?.end('still here\n');
        expect(await second.ended).toMatchObject({ status: 0, stdout: 'up\nstill here\n' });
        expect(place.isThere()).toBe(false);
      },
      IMAGE_PATIENCE,
    );
  });
}

describeWith(['root', 'schroot', 'busybox', 'overlay', 'proc'], 'a name that was given to schroot by a run', () => {
  test('that was killed while it began its session is nobody’s, or may be anybody’s', async () => {
    const { words, begin, isThere } = await schroot.set();
    const programs = workplace();
    // It is killed by what it starts.
    const script = `case "$*" in *--begin-session*) kill -KILL "$PPID";; *) exec ${findProgram('schroot')} "$@";; esac`;
    scriptAt(join(programs, 'schroot'), script);
    const env = { TMPDIR: workplace(), XDG_STATE_HOME: workplace() };
    const PATH = `${programs}:${process.env.PATH}`;
    const killed = async () => {
      const end = await cli(['exec', 'true', '--', ...words], { env: { ...env, PATH } });
      expect(end.signal).toBe('SIGKILL');
    };

    await killed();
    const gone = await cli(['reap'], { env });
    expect(gone.stdout).toContain(`gone     session ${NAME} was gone already: there is none of that name`);
    expect(gone.status).toBe(0);

    await killed();
    run(begin);
    onTestFinished(() => void (isThere() && run(['schroot', '--end-session', '--chroot', `session:${NAME}`])));
    const left = await cli(['reap'], { env });
    expect(left.stdout).toContain(`left     session ${NAME}: nobody can tell whether it is of this run: `);
    expect(left.status).toBe(1);
    expect(isThere()).toBe(true);
    // Who has looked may paste what it says.
    const [, command = 'false'] = /; this removes it: (.*)$/m.exec(left.stdout) ?? [];
    run(['sh', '-c', command]);
    expect(isThere()).toBe(false);
    expect((await cli(['reap'], { env })).stdout).toContain('gone     session');
  });
});

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, release } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TrundleEvent } from '../src/events/index.ts';
import { TRACE_VERSION } from '../src/trace/contract.ts';
import { type SshServer, startSshServer } from '../test/faults/support/sshServer.ts';
import { silentServer, talkingServer, vacantAddress } from '../test/support/badServers.ts';
import { FaultProxy } from '../test/support/faultProxy.ts';
import { setup } from '../test/support/freshBuild.ts';
import { tinyRoot } from '../test/support/images.ts';
import { makePackage, type PackagePlan } from '../test/support/packages.ts';

// Records the traces of today's format in test/traces anew: each trace by a run of the built program, on this machine, with the fault made to happen.
// Needs root, sshd, schroot, busybox and a checkout outside /tmp. The runs happen in namespaces of their own, with an empty /tmp, another host name and another
// processor, so that nothing of the machine gets into them and nothing is left of them. What else would tell of the
// machine (boot id, kernel, run id) is replaced by as many other characters, since events speak of bytes at an offset.
//
//     node --import tsx scripts/recordTraces.ts [NAME...]

const root = fileURLToPath(new URL('..', import.meta.url));
const corpus = join(root, 'test/traces');
const place = '/tmp/trundle-traces';
const HOST = 'example';
const placeOf = (name: string) => join(place, `v${TRACE_VERSION}-${name}`);

interface Recording {
  readonly package: PackagePlan;
  readonly options?: readonly string[];
  readonly backend?: (sshd: SshServer) => Promise<readonly string[]> | readonly string[];
  /** What the server's sshd_config says first. */
  readonly config?: readonly string[];
  /** Makes what the run finds on the machine. */
  readonly prepare?: () => void;
  /** Called once the test has begun and said so. */
  readonly begun?: (running: { pid: number; sshd: SshServer }) => void;
}

const overSsh = (sshd: SshServer, hostKey = sshd.hostKey, address = sshd.address, identity = sshd.identity) => [
  ...['ssh', '-H', address.host, '-p', String(address.port), '-i', identity, '--host-key', hostKey],
];
/** A backend whose verb fails. */
const failing = (sshd: SshServer, verb: string, how: '--fail' | '--throw-in' = '--fail') => [
  join(root, 'test/fixtures/backends/gated.js'),
  ...[
    '--host',
    sshd.address.host,
    '--port',
    String(sshd.address.port),
    '--identity',
    sshd.identity,
    '--host-key',
    sshd.hostKey,
    '--place',
    place,
  ],
  ...['--ability', 'revert', '--ability', 'reboot', how, verb],
];
/** Bytes that a tar gives which no honest one makes: a member above its directory. */
const LYING_TAR = `#!/bin/sh
case " $* " in
*" --create "*) exec /usr/bin/tar --create --file=- --format=gnu -P --transform='s,^,../,' -C / etc/hostname ;;
*) exec /usr/bin/tar "$@" ;;
esac
`;
/** A directory with every program of the machine but tar. */
function makeNoTar(): void {
  mkdirSync(join(place, 'no-tar'));
  for (const name of readdirSync('/usr/bin')) {
    if (name !== 'tar') symlinkSync(join('/usr/bin', name), join(place, 'no-tar', name));
  }
}

function makeLyingTar(): void {
  mkdirSync(join(place, 'lying'));
  writeFileSync(join(place, 'lying', 'tar'), LYING_TAR, { mode: 0o755 });
}

/** A directory with room for next to nothing. */
function makeSmallPlace(): void {
  mkdirSync(join(place, 'small'), { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=1777', 'none', join(place, 'small')]);
}

/** A chroot that only this program knows, whose sessions are overlays on a tiny root. */
function makeChroot(): void {
  const [etc, state] = ['/etc/schroot/chroot.d', '/var/lib/schroot'];
  for (const directory of [etc, state]) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'none', directory]);
  for (const name of ['mount', 'session', 'unpack', 'union/overlay', 'union/underlay'])
    mkdirSync(join(state, name), { recursive: true });
  const binds = ['/proc', '/sys', '/dev', '/dev/pts'].map((path) => `${path} ${path} none rw,rbind 0 0\n`);
  writeFileSync(join(place, 'fstab'), binds.join(''));
  const keys = [
    'type=directory',
    `directory=${tinyRoot(join(place, 'tiny'))}`,
    'union-type=overlay',
    `setup.fstab=../..${join(place, 'fstab')}`,
    'setup.nssdatabases=',
  ];
  writeFileSync(join(etc, 'tiny'), ['[tiny]', ...keys, ''].join('\n'));
}

/** Stands between the program and the server in the run that loses its connection by a reset. */
let proxy: FaultProxy | null = null;

const TWO: PackagePlan = { tests: { first: 'true', second: 'true' } };
const LINGERS: PackagePlan = { tests: { lingers: 'echo begun\nexec sleep 1000' } };

const RECORDINGS: Readonly<Record<string, Recording>> = {
  pass: { package: { tests: { greets: 'echo hello' } } },
  'failing-test': {
    package: { tests: { good: 'echo fine', bad: 'echo about to fail\nexit 3' } },
    backend: (sshd) => overSsh(sshd),
  },
  stderr: { package: { tests: { talks: 'echo "warning: it is late" >&2' } } },
  timeout: { package: LINGERS, options: ['--timeout-test', '1'] },
  'lost-connection': {
    package: LINGERS,
    backend: (sshd) => overSsh(sshd),
    begun: ({ sshd }) => sshd.killSessions(),
  },
  'no-server': {
    package: LINGERS,
    options: ['--deadline', 'ssh-ready=600'],
    backend: async (sshd) => overSsh(sshd, sshd.hostKey, (await vacantAddress()).address),
  },
  'refused-login': {
    package: LINGERS,
    backend: async (sshd) => {
      await using stranger = await startSshServer();
      // Read before the stranger's key is gone with it.
      const identity = join(place, 'stranger');
      cpSync(stranger.identity, identity);
      return overSsh(sshd, sshd.hostKey, sshd.address, identity);
    },
  },
  'wrong-host-key': {
    package: LINGERS,
    backend: (sshd) => overSsh(sshd, 'SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
  },
  interrupted: { package: LINGERS, begun: ({ pid }) => void process.kill(pid, 'SIGINT') },
  killed: { package: LINGERS, begun: ({ pid }) => void process.kill(pid, 'SIGKILL') },
  // One testbed stays as its failed test left it, the next one does not.
  kept: {
    package: { tests: { bad: { restrictions: 'needs-root', script: 'exit 3' }, good: 'true' } },
    options: ['--keep=on-failure'],
    prepare: makeChroot,
    backend: () => ['schroot', 'tiny'],
  },
  signalled: { package: { tests: { crashes: 'kill -SEGV $$' } } },
  'wrong-usage': { package: TWO, options: ['-u', 'nobody-there'] },
  'setup-failed': { package: TWO, options: ['--setup-commands', 'echo no luck >&2; exit 3'] },
  deadline: { package: LINGERS, options: ['--timeout', '2'] },
  'not-ssh': {
    package: TWO,
    options: ['--deadline', 'ssh-ready=600'],
    backend: async (sshd) =>
      overSsh(sshd, sshd.hostKey, (await talkingServer('HTTP/1.1 400 Bad Request\r\n\r\n')).address),
  },
  'protocol-error': {
    package: TWO,
    options: ['--deadline', 'ssh-ready=600'],
    backend: async (sshd) =>
      overSsh(sshd, sshd.hostKey, (await talkingServer(`SSH-2.0-Odd\r\n${'?'.repeat(64)}`)).address),
  },
  'silent-server': {
    package: TWO,
    options: ['--deadline', 'banner=300', '--deadline', 'ssh-ready=600'],
    backend: async (sshd) => overSsh(sshd, sshd.hostKey, (await silentServer()).address),
  },
  unreachable: {
    package: TWO,
    options: ['--deadline', 'ssh-ready=600'],
    backend: (sshd) => overSsh(sshd, sshd.hostKey, { host: 'testbed.invalid', port: 22 }),
  },
  'no-session': { package: TWO, config: ['MaxSessions 0'], backend: (sshd) => overSsh(sshd) },
  'provision-failed': { package: TWO, backend: (sshd) => failing(sshd, 'create') },
  'boot-failed': { package: TWO, backend: (sshd) => failing(sshd, 'start') },
  'revert-failed': { package: TWO, backend: (sshd) => failing(sshd, 'reset') },
  'reboot-failed': {
    package: { tests: { reboots: '/tmp/autopkgtest-reboot again' } },
    backend: (sshd) => failing(sshd, 'restart'),
  },
  'teardown-failed': { package: TWO, backend: (sshd) => failing(sshd, 'stop') },
  died: {
    package: { tests: { lingers: "pkill -x -f 'sleep infinity'\nexec sleep 1000" } },
    backend: (sshd) => failing(sshd, ''),
  },
  reset: {
    package: LINGERS,
    backend: async (sshd) => {
      proxy = await FaultProxy.to(sshd.address);
      return overSsh(sshd, sshd.hostKey, proxy.address);
    },
    begun: () => proxy?.now('reset-both'),
  },
  'no-tar': {
    package: TWO,
    prepare: makeNoTar,
    config: [`SetEnv PATH=${join(place, 'no-tar')}`],
    backend: (sshd) => overSsh(sshd),
  },
  'full-testbed': {
    package: { tests: { big: `# ${'x'.repeat(200_000)}\ntrue` } },
    prepare: makeSmallPlace,
    config: [`SetEnv TMPDIR=${join(place, 'small')}`],
    backend: (sshd) => overSsh(sshd),
  },
  hostile: {
    package: { tests: { lies: 'echo x >"$AUTOPKGTEST_ARTIFACTS/file"' } },
    prepare: makeLyingTar,
    options: ['-o', join(place, 'lies')],
    config: [`SetEnv PATH=${join(place, 'lying')}:/usr/bin:/bin`],
    backend: (sshd) => overSsh(sshd),
  },
  'full-host': {
    package: { tests: { floods: 'head -c 4000000 /dev/zero' } },
    prepare: makeSmallPlace,
    options: ['-o', join(place, 'small', 'results')],
  },
  'no-image': { package: TWO, backend: () => ['unshare', '--tarball', join(place, 'nowhere.tar')] },
  internal: { package: TWO, backend: (sshd) => failing(sshd, 'endpoint', '--throw-in') },
  // A recording of a recording: the program that is recorded here is another one than was recorded there.
  diverged: {
    package: { tests: { greets: 'echo hello' } },
    backend: async () => {
      const before = join(place, 'before');
      await trundle(['exec', '--trace', before, 'echo hello', '--', 'null'], () => {});
      return ['replay', before];
    },
  },
  'bad-package': { package: { control: 'Tests: *\nDepends:\nRestrictions: needs-root\nTests: twice\n' } },
};

/** Runs the program until its end; `seen` gets every event as it happens. */
async function trundle(words: readonly string[], seen: (event: TrundleEvent, pid: number) => void): Promise<void> {
  const { SSH_AUTH_SOCK: _agent, ...env } = process.env;
  const child = spawn(process.execPath, [join(root, 'dist/bin.cjs'), ...words], {
    cwd: place,
    env: { ...env, XDG_STATE_HOME: join(place, 'state'), NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{"v":')) seen(JSON.parse(line), child.pid ?? 0);
  }
}

async function record(name: string, recording: Recording): Promise<void> {
  const { options = [], backend, begun } = recording;
  const trace = placeOf(name);
  makePackage(place, recording.package);
  recording.prepare?.();
  await using sshd = await startSshServer(recording.config);
  const words = (await backend?.(sshd)) ?? ['null'];
  let test: string | null = null;
  await trundle(['run', '--json', '--trace', trace, ...options, './sample-1.0', '--', ...words], (event, pid) => {
    if (event.type === 'test.started') test = event.command;
    if (event.type === 'command.output' && event.command === test) begun?.({ pid, sshd });
  });
  if (name === 'killed') {
    cpSync(trace, `${trace}-truncated`, { recursive: true });
    cutLastLine(join(`${trace}-truncated`, 'events.jsonl'));
    await trundle(['reap', '--json', `${trace}/`], () => {});
  }
  if (name === 'kept') {
    cpSync(trace, `${trace}-reaped`, { recursive: true });
    await trundle(['reap', '--json', `${trace}-reaped/`], () => {});
  }
  rmSync(join(place, 'sample-1.0'), { recursive: true });
  spawnSync('umount', [join(place, 'small')], { stdio: 'ignore' });
  rmSync(join(place, 'state'), { recursive: true, force: true });
}

/** As a kill in the middle of a write leaves it. */
function cutLastLine(file: string): void {
  const text = readFileSync(file, 'utf8');
  const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
  writeFileSync(file, text.slice(0, lastLine + Math.ceil((text.length - lastLine) / 2)));
}

/** Takes what is left of this machine out of a trace, and puts it into the corpus. */
function keep(name: string): void {
  const trace = placeOf(name);
  const events = join(trace, 'events.jsonl');
  const [first = '', ...rest] = readFileSync(events, 'utf8').split('\n');
  const header = JSON.parse(first);
  const owner = { pid: 4242, startTime: 1000, host: HOST };
  const system = { kernel: 'Linux 6.1.0 x64', node: '20.19.0', zone: 'Etc/UTC' };
  const id = createHash('sha256').update(name).digest('hex').slice(0, header.run.length);
  const neutral = { ...header, started: '2026-01-02T03:04:05.000Z', owner, system };
  writeFileSync(events, [JSON.stringify(neutral), ...rest].join('\n'));
  const others: Record<string, string> = {
    [header.run]: id,
    [header.owner.boot]: '00000000-0000-4000-8000-000000000000',
    [root]: '/usr/lib/trundle/',
    [release()]: '6.1.0-'.padEnd(release().length, '0').slice(0, release().length),
  };
  for (const entry of readdirSync(trace, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    // Latin-1 keeps every byte as it is.
    const text = readFileSync(file, 'latin1');
    writeFileSync(
      file,
      Object.entries(others).reduce((result, [from, to]) => result.replaceAll(from, to), text),
      'latin1',
    );
  }
  const kept = join(corpus, basename(trace));
  rmSync(kept, { recursive: true, force: true });
  cpSync(trace, kept, { recursive: true });
  console.log(`${name}: ${Math.ceil(statSync(join(kept, 'events.jsonl')).size / 1024)} KiB`);
}

const PROCESSOR = 'processor\t: 0\nmodel name\t: Example\nflags\t\t: fpu sse2\n';
const ENTER = `hostname ${HOST} && mount -t tmpfs none /tmp && printf '%s' "$1" >/tmp/cpuinfo &&
mount --bind /tmp/cpuinfo /proc/cpuinfo && shift && exec "$@"`;

/** This program again, in namespaces of its own, which end whatever is left in them. */
function confined(): number {
  const namespaces = ['--uts', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', [...namespaces, 'sh', '-c', ENTER, 'sh', PROCESSOR, ...again], {
    stdio: 'inherit',
  });
  return status ?? 1;
}

async function main(names: readonly string[]): Promise<void> {
  mkdirSync(corpus, { recursive: true });
  mkdirSync(place);
  for (const name of names.length > 0 ? names : Object.keys(RECORDINGS)) {
    const recording = RECORDINGS[name];
    if (recording === undefined) throw new Error(`no recording is called ${name}: ${Object.keys(RECORDINGS)}`);
    await record(name, recording);
    keep(name);
    if (name === 'killed') keep(`${name}-truncated`);
    if (name === 'kept') keep(`${name}-reaped`);
  }
}

if (hostname() === HOST) {
  await main(process.argv.slice(2));
  // Bad servers and what hangs on them end with the namespaces.
  process.exit();
} else {
  await setup();
  process.exitCode = confined();
}

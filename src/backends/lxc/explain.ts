import { BackendError } from '../contract.ts';
import { explainSetUp } from '../shared/outer/explainSetUp.ts';
import type { EarlyEnd } from '../shared/outer/plan.ts';
import { missedProgram } from '../shared/programs.ts';
import { failureOfProgram, type ProgramResult, programMissing } from '../shared/runProgram.ts';

interface Reason {
  readonly pattern: RegExp;
  readonly code: string;
  readonly what: (template: string) => string;
  readonly remedy: string;
}

/** What liblxc says where a container does not come to be, and what it means. The first that fits. */
const REASONS: readonly Reason[] = [
  {
    pattern: /No such file or directory - Failed to exec "?\/sbin\/init/i,
    code: 'no-init',
    what: (template) => `${template} has no /sbin/init`,
    remedy: 'install systemd-sysv in it',
  },
  {
    pattern: /Exec format error/i,
    code: 'wrong-architecture',
    what: (template) => `${template} is for another kind of processor (this machine: ${process.arch})`,
    remedy: 'use one of this architecture, or apt-get install qemu-user-static',
  },
  {
    pattern: /bridge|Failed to attach .*(veth|network)|Failed to create network|lxcbr0/i,
    code: 'no-network',
    what: (template) => `the network that ${template} asks for cannot be set up`,
    remedy: 'systemctl start lxc-net; or do without: -s lxc.net.0.type=empty after the template',
  },
  {
    pattern: /apparmor/i,
    code: 'no-apparmor',
    what: (template) => `the AppArmor profile that ${template} asks for cannot be had`,
    remedy: 'apt-get install apparmor; or do without: -s lxc.apparmor.profile=unconfined after the template',
  },
  {
    pattern:
      /unknown configuration|Failed to parse config|Failed to set config item|invalid (config|argument)|could not parse command line/i,
    code: 'usage',
    what: () => 'lxc-start does not take an option that it was given',
    remedy: 'see lxc-start(1) and lxc.container.conf(5)',
  },
];

/** Programs that lxc-copy(1) leaves the work to, and how it says that it was not done. */
const HELPERS = [
  { pattern: /Failed to rsync/, program: 'rsync', package: 'rsync' },
  { pattern: /Failed to create new filesystem/, program: 'mkfs.ext4', package: 'e2fsprogs' },
] as const;

/** Why lxc-start(1) ended before the container was there. Pure. */
export function explainStart(end: EarlyEnd, template: string): BackendError {
  const missed = missedProgram(end.said);
  if (missed !== null) return programMissing(missed, 'starting the container');
  const lines = end.said.split('\n');
  for (const { pattern, code, what, remedy } of REASONS) {
    const said = lines.find((line) => pattern.test(line));
    if (said !== undefined) return new BackendError(code, `${what(template)}: ${withoutPlace(said)}`, { remedy });
  }
  // Its last words are about the end; the first are about the reason.
  const errors = lines.filter((line) => line.startsWith('lxc-start:'));
  return explainSetUp({ ...end, said: errors.length === 0 ? end.said : withoutPlace(errors[0] ?? '') });
}

/** Why lxc-copy(1) did not succeed. Pure. */
export function explainCopy(result: ProgramResult, template: string, lxcpath: string): BackendError {
  const doing = `copying the container ${template}`;
  if (/is running/.test(result.stderr))
    return new BackendError('template-runs', `the container ${template} runs, and cannot be copied`, {
      remedy: `lxc-stop --lxcpath ${lxcpath} --name ${template}`,
    });
  // The first line tells what failed, each further one only which function noticed.
  const [first = ''] = result.stderr.split('\n').filter((line) => line.startsWith('lxc-copy:'));
  const helper = HELPERS.find(({ pattern }) => pattern.test(first));
  const others = result.stderr.split('\n').filter((line) => !line.startsWith('lxc-copy:'));
  const stderr = [...others, withoutPlace(first)].join('\n');
  return failureOfProgram(
    'lxc-copy',
    { ...result, stderr },
    {
      code: 'copy-failed',
      doing,
      ...(helper === undefined
        ? {}
        : { remedy: `see that ${helper.program} is there: apt-get install ${helper.package}` }),
    },
  );
}

/** A line of liblxc's without the place in its source. Pure. */
function withoutPlace(line: string): string {
  return line
    .replace(/^(lxc-\w+): .*?\.c: \w+: \d+ /, '$1: ')
    .replace(/^(lxc-\w+) \S+ [\d.]+ \w+ +\w+ - \S+ - /, '$1: ')
    .trim();
}

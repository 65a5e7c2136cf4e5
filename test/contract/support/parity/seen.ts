import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';

/** What a test sees of its surroundings: values by the name of the fact. */
export type Seen = Readonly<Record<string, string>>;

/** Whom a value is of. */
interface Viewer {
  readonly login: string;
  readonly home: string;
}

/** A fact that is not there, such as a variable that is not set. */
export const NOTHING = '-';

const HERE = "(this machine's)";

/** Facts of the machine, where the testbed is this machine. */
const MACHINE =
  /^(PID 1|systemd runs|login session|systemctl --user|D-Bus of the user|XDG_RUNTIME_DIR is usable|cgroup|mounted on .*|.* is known|\/.*|status: (Cap|Seccomp).*|environment: (DBUS|XDG|MAIL|MOTD).*)$/;

/** Facts that are a mode and the uid of an owner. */
const MODE_AND_OWNER = /^\/(tmp|run|run\/lock|dev\/shm)$/;

/**
 * Reads what the probe printed. What differs from run to run or from machine to machine, and not from backend to
 * backend, is named instead of told: ids, addresses, names of accounts, limits and names of this machine.
 * @param ofThisMachine whether the testbed is this machine itself, whose init and mounts are no matter of a backend's
 */
export function readSeen(output: string, ofThisMachine: boolean): Seen {
  const raw = new Map(
    output
      .split('\n')
      .filter((line) => line.includes('\t'))
      .map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1).trim()] as const),
  );
  const viewer = { login: raw.get('user') ?? '', home: raw.get('environment: HOME') ?? '' };
  const uid = raw.get('uid') ?? '';
  const seen = [...raw].map(
    ([fact, value]) => [fact, ofThisMachine && MACHINE.test(fact) ? HERE : plain(fact, value, viewer, uid)] as const,
  );
  return Object.fromEntries(
    seen.filter(([, value]) => value !== '').toSorted(([one], [other]) => (one < other ? -1 : 1)),
  );
}

function plain(fact: string, value: string, { login, home }: Viewer, uid: string): string {
  if (fact.startsWith('limit: ')) return plainLimit(fact.slice('limit: '.length), value);
  if (fact.startsWith('descriptor ')) return isInherited(fact.slice('descriptor '.length), value) ? '' : value;
  if (MODE_AND_OWNER.test(fact)) return uid === '0' ? value : value.replace(new RegExp(` ${uid}$`), ' (its own)');
  if (fact === 'uid') return uid === '0' ? '0' : '(its own)';
  if (fact === 'environment: SHELL') return value.replace(/^.*\/(ba|da)?sh$/, '(of the account)');
  if (fact === 'host name') return value === hostname() ? HERE : '(its own)';
  if (fact === 'network interfaces') return value === 'lo' ? value : value === interfacesHere() ? HERE : value;
  if (/^status: Cap/.test(fact)) return value === ownCapabilities() ? "(trundle's own)" : value;
  if (fact === 'environment: XDG_SESSION_ID') return '(a number)';
  if (/^environment: SSH_(CLIENT|CONNECTION)$/.test(fact))
    return value.startsWith('UNKNOWN') ? '(no address)' : '(addresses)';
  if (fact === 'cgroup') return plainCgroup(value, uid);
  if (fact === 'environment: MAIL') return value.replace(login, '(login)');
  if (/^(user|groups?|environment: (USER|LOGNAME))$/.test(fact))
    return value
      .split(' ')
      .map((word) => (word === login ? '(login)' : word))
      .join(' ');
  const named = home === '' || home === '/' ? value : value.replaceAll(home, '(home)');
  return named.replace(`/user/${uid}`, '/user/(uid)');
}

/** A limit in words: that of this process, or the number. The unit is no matter of ours. */
function plainLimit(name: string, value: string): string {
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(name));
  const [, hard = ''] = (line ?? '').slice(26).trim().split(/\s+/);
  const [seenSoft = '', seenHard = ''] = value.split(' ');
  const word = (number: string) =>
    number !== 'unlimited' && number === hard && number !== '0' ? "(trundle's own)" : number;
  return `${word(seenSoft)} to ${word(seenHard)}`;
}

function plainCgroup(path: string, uid: string): string {
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '';
  if (path !== '/' && path === own) return "(trundle's own)";
  return path
    .replace(`user-${uid}.slice`, 'user-(uid).slice')
    .replace(/session-c?\d+\.scope/, 'session-(number).scope');
}

/** Whether whoever started us had left it open for us: no program can close what it does not know of. */
function isInherited(number: string, to: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${number}`) === to;
  } catch {
    // We have none of that number.
    return false;
  }
}

function interfacesHere(): string {
  const names = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
  return (names.length > 0 ? names : Object.keys(networkInterfaces())).toSorted().join(' ');
}

/** The capabilities that this process may have at all. */
function ownCapabilities(): string {
  return /^CapBnd:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
}

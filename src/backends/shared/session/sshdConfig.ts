import { USUAL_LIMITS } from '../../../standin/index.ts';
import { quote } from '../quote.ts';
import { SERVING } from './enterSession.ts';

/** The files of an sshd that serves one testbed. */
export interface SshdFiles {
  /** A directory inside the testbed that nobody else uses, on what is thrown away with it. */
  readonly directory: string;
  readonly hostKey: string;
  readonly authorizedKey: string;
  /** Whether sessions are PAM's where the image has a configuration for it (pam.d(5)). */
  readonly pam: boolean;
}

/**
 * The configuration of an `sshd -i` that lets one key in, as any user (sshd_config(5)). The image's own file is not
 * read, so that testbeds of all kinds behave the same. Pure.
 */
function sshdConfig(directory: string): string {
  return [
    `HostKey ${directory}/host_key`,
    `AuthorizedKeysFile ${directory}/authorized_keys`,
    'PidFile none',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'AcceptEnv LANG LC_*',
    'MaxSessions 1000',
    'PrintMotd no',
    'PrintLastLog no',
    'UseDNS no',
    'X11Forwarding no',
    'Subsystem sftp internal-sftp',
    'LogLevel ERROR',
    '',
  ].join('\n');
}

/**
 * A line of shell for the environment of an sshd, which sessions do not inherit: over a pipe its client is called UNKNOWN,
 * and PAM's audit looks for the address of that in each session anew. Where DNS is slow, or is not there, a command would
 * begin five seconds late (resolv.conf(5)).
 */
const NO_LOOKUPS = 'export RES_OPTIONS=attempts:0';

/** A command for just before an sshd starts; that of an ordinary user does without the directory. */
const WITH_PRIVSEP = '[ -d /run/sshd ] || mkdir -m 755 /run/sshd 2>/dev/null || :';

/**
 * A script, run inside the testbed as root, that writes the files and becomes an sshd that serves the client on stdin and
 * stdout: `$sshd`, as the user with the number `$uid`. What is secret stands in the script, which comes through stdin.
 * Pure.
 */
export function installScript({ directory, hostKey, authorizedKey, pam }: SshdFiles): string {
  const write = (name: string, text: string) => `printf %s ${quote(text)} >${quote(`${directory}/${name}`)}`;
  const config = `${directory}/sshd_config`;
  return [
    'set -e',
    'umask 022',
    // Where sshd locks itself up before a login; it must be there when it runs as root. While the image's own ssh.service
    // cannot start, as without host keys, systemd makes and removes the directory again and again.
    '[ ! -d /run/sshd ] || chmod 755 /run/sshd || [ ! -d /run/sshd ] || [ "$uid" != 0 ]',
    `{ [ -d /run/sshd ] && [ -d ${quote(directory)} ]; } || mkdir -p /run/sshd ${quote(directory)} || { [ "$uid" != 0 ] && [ -d ${quote(directory)} ]; }`,
    write('authorized_keys', `${authorizedKey}\n`),
    write('sshd_config', sshdConfig(directory)),
    pam ? 'if [ -e /etc/pam.d/sshd ]; then pam=yes; else pam=no; fi' : 'pam=no',
    `echo "UsePAM $pam" >>${quote(config)}`,
    // Without pam_limits a session has the limits of its sshd, and that those of this process.
    `if [ "$pam" = yes ]; then limits=:; else limits=${quote(`${USUAL_LIMITS} || :`)}; fi`,
    `printf '%s\\n' "$limits" ${quote(NO_LOOKUPS)} >${quote(`${directory}/prologue`)}`,
    'umask 077',
    write('host_key', hostKey),
    'umask 022',
    'unset LC_ALL',
    `echo ${quote(SERVING)}`,
    `${WITH_PRIVSEP}; . ${quote(`${directory}/prologue`)}`,
    `exec "$sshd" -i -e -f ${quote(config)}`,
    '',
  ].join('\n');
}

/** A script that asks sshd why it would not start; its exit status is sshd's. Pure. */
export function checkScript(sshd: string, directory: string): string {
  return `exec ${quote(sshd)} -t -f ${quote(`${directory}/sshd_config`)}\n`;
}

/**
 * The argv, inside the testbed, of a server for one connection on stdin and stdout; what is wrong it says on stderr.
 * Where the image's own ssh.service ends, systemd removes the directory in which every sshd locks itself up. Pure.
 */
export function sshdArgv(sshd: string, directory: string): string[] {
  const prologue = `. ${quote(`${directory}/prologue`)}`;
  const script = `${WITH_PRIVSEP}; ${prologue}; exec "$@"`;
  return ['/bin/sh', '-c', script, 'sh', sshd, '-i', '-e', '-f', `${directory}/sshd_config`];
}

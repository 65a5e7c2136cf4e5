import { quote } from '../quote.ts';

/** The files of an sshd that serves one testbed. */
export interface SshdFiles {
  /** A directory inside the testbed that nobody else uses, on what is thrown away with it. */
  readonly directory: string;
  readonly hostKey: string;
  readonly authorizedKey: string;
  readonly sshd: string;
  readonly pam: boolean;
}

/**
 * The configuration of an `sshd -i` that lets one key in, as any user (sshd_config(5)). The image's own file is not
 * read, so that testbeds of all kinds behave the same. Pure.
 */
export function sshdConfig({ directory, pam }: Pick<SshdFiles, 'directory' | 'pam'>): string {
  return [
    `HostKey ${directory}/host_key`,
    `AuthorizedKeysFile ${directory}/authorized_keys`,
    'PidFile none',
    `UsePAM ${pam ? 'yes' : 'no'}`,
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
 * A script, run inside the testbed as root, that writes the files and asks sshd whether it would start with them.
 * What is secret stands in the script, which comes through stdin. Pure.
 */
export function installScript(files: SshdFiles): string {
  const { directory, hostKey, authorizedKey, sshd } = files;
  const file = (name: string, mode: string, text: string) =>
    `printf %s ${quote(text)} >${quote(`${directory}/${name}`)}; chmod ${mode} ${quote(`${directory}/${name}`)}`;
  return [
    'set -e',
    'umask 077',
    // Where sshd locks itself up before a login; it must be there when it runs as root.
    'mkdir -p /run/sshd && chmod 755 /run/sshd || [ "$(id -u)" != 0 ]',
    `mkdir -p ${quote(directory)}`,
    `chmod 755 ${quote(directory)}`,
    file('host_key', '600', hostKey),
    file('authorized_keys', '644', `${authorizedKey}\n`),
    file('sshd_config', '644', sshdConfig(files)),
    `exec ${quote(sshd)} -t -f ${quote(`${directory}/sshd_config`)}`,
    '',
  ].join('\n');
}

/**
 * The argv, inside the testbed, of a server for one connection on stdin and stdout; what is wrong it says on stderr.
 * Where the image's own ssh.service ends, systemd removes the directory in which every sshd locks itself up. Pure.
 */
export function sshdArgv({ directory, sshd }: Pick<SshdFiles, 'directory' | 'sshd'>): string[] {
  const script = '[ -d /run/sshd ] || mkdir -m 755 /run/sshd 2>/dev/null; exec "$@"';
  return ['/bin/sh', '-c', script, 'sh', sshd, '-i', '-e', '-f', `${directory}/sshd_config`];
}

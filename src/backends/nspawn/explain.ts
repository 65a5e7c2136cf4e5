import { BackendError } from '../contract.ts';
import { throwIfNoShell } from '../shared/enter.ts';
import { NO_OVERLAY } from '../shared/namespaces/setupScript.ts';
import { missedProgram } from '../shared/programs.ts';
import { lastLine, programMissing } from '../shared/runProgram.ts';
import { NO_CGROUPS } from './script.ts';

/** How a container, or what set it up, ended before it was there. */
export interface EarlyEnd {
  readonly status: number | null;
  /** What it printed, on stderr and on its console. */
  readonly said: string;
  readonly image: string;
  readonly boot: boolean;
}

/** Why a container did not come to be, and what would mend it. Pure. */
export function explainStart({ status, said, image, boot }: EarlyEnd): BackendError {
  const missed = missedProgram(said);
  if (missed !== null) return programMissing(missed, 'starting the container');
  const words = lastLine(said) || `it ended with exit status ${status}`;
  if (/doesn't look like (it has )?an OS/.test(said)) {
    const lacks = boot && /os-release/.test(said) ? 'it has no os-release, which --boot takes' : 'it has no /usr';
    return new BackendError('not-a-root', `the image ${image} is no root file system: ${lacks}`, {
      remedy: `mmdebstrap --include=${boot ? 'systemd-sysv,dbus,' : ''}openssh-server stable ${image}.tar`,
    });
  }
  if (/execv\(.*\) failed: No such file/.test(said)) {
    if (boot)
      return new BackendError('no-init', `the image ${image} has no init to boot`, {
        remedy: 'install systemd-sysv in the image, or leave --boot out',
      });
    return new BackendError('no-shell', `the image ${image} has no /bin/sh that runs`, {
      remedy: 'use an image with a POSIX shell, and with the libraries that it needs',
    });
  }
  try {
    throwIfNoShell('systemd-nspawn', { status: status === 0 ? 1 : status, stderr: said });
  } catch (error) {
    return error as BackendError;
  }
  if (status === NO_OVERLAY)
    return new BackendError('no-overlay', `an overlay cannot be mounted: ${words}`, {
      remedy: 'set TMPDIR to a directory on ext4, xfs, btrfs or tmpfs',
    });
  if (status === NO_CGROUPS)
    return new BackendError('no-cgroup2', `control groups of version 2 cannot be mounted: ${words}`, {
      remedy: 'run it where CAP_SYS_ADMIN is had (a container needs --privileged)',
    });
  return new BackendError('container-failed', `the container could not be started: ${words}`);
}

import { BackendError } from '../contract.ts';
import { throwIfNoShell } from '../shared/enter.ts';
import { explainSetUp } from '../shared/outer/explainSetUp.ts';
import type { EarlyEnd } from '../shared/outer/plan.ts';
import { missedProgram } from '../shared/programs.ts';
import { programMissing } from '../shared/runProgram.ts';

/** How a container ended early, and what was asked for. */
interface NspawnEnd extends EarlyEnd {
  readonly image: string;
  readonly boot: boolean;
}

/** Why a container did not come to be, and what would mend it. Pure. */
export function explainStart({ status, said, image, boot }: NspawnEnd): BackendError {
  const missed = missedProgram(said);
  if (missed !== null) return programMissing(missed, 'starting the container');
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
  return explainSetUp({ status, said });
}

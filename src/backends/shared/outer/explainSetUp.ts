import { BackendError } from '../../contract.ts';
import { imageGone } from '../images/imageGone.ts';
import { IMAGE_GONE, NO_OVERLAY } from '../namespaces/setupScript.ts';
import { lastLine, noRoom } from '../runProgram.ts';
import { type EarlyEnd, NO_CGROUPS } from './plan.ts';

/** Why outer namespaces, or what runs in them, did not come to be, where the program itself does not tell. Pure. */
export function explainSetUp({ status, said }: EarlyEnd): BackendError {
  const words = lastLine(said) || `it ended with exit status ${status}`;
  if (status === IMAGE_GONE) return imageGone();
  const full = noRoom(said, 'setting the container up');
  if (full !== null) return full;
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

import { type Availability, BackendError, defineBackend } from '../contract.ts';
import { missingPrograms } from '../shared/programs.ts';
import { HOW_TO_DEFINE, isPermanent, listChroots, mayBeRoot, readChroot, schrootCapabilities } from './chroots.ts';
import { schrootOptions } from './options.ts';
import { SchrootTestbed } from './SchrootTestbed.ts';

/** A session of a chroot that schroot(1) manages; an ordinary user will do, where its configuration says so. */
export const schrootBackend = defineBackend({
  name: 'schroot',
  summary: 'a session of a chroot that schroot manages',
  options: schrootOptions,
  help: { positional: ['schroot'], short: { debug: 'd', sessionId: 's' } },
  probe,
  capabilities: ({ schroot, login }) => {
    try {
      return schrootCapabilities(mayBeRoot(readChroot(schroot)), login);
    } catch (error) {
      // create() tells what is wrong with it.
      if (error instanceof BackendError) return schrootCapabilities(false, login);
      throw error;
    }
  },
  whyNotKept: () => null,
  open: (options, host) => new SchrootTestbed(options, host),
});

function probe(): Promise<Availability> {
  const missing = missingPrograms(['schroot']);
  if (missing !== null) return Promise.resolve(missing);
  const chroots = listChroots();
  if (chroots.length === 0)
    return Promise.resolve({ available: false, missing: 'no chroots are configured', remedy: HOW_TO_DEFINE });
  const usable = chroots.filter((name) => !isPermanent(readChroot(name)));
  if (usable.length > 0) return Promise.resolve({ available: true, detail: `chroots: ${usable.join(', ')}` });
  return Promise.resolve({
    available: false,
    missing: `no chroot has sessions that can be thrown away (${chroots.join(', ')})`,
    remedy: 'set union-type=overlay in its section in /etc/schroot/chroot.d/',
  });
}

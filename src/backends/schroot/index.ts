import { ownAccount } from '../../host/index.ts';
import { type Availability, BackendError, defineBackend } from '../contract.ts';
import { missingPrograms } from '../shared/programs.ts';
import {
  type Admission,
  admission,
  HOW_TO_DEFINE,
  howToAdmit,
  isPermanent,
  mayBeRoot,
  readChroot,
  readChroots,
  schrootCapabilities,
} from './chroots.ts';
import { schrootOptions } from './options.ts';
import { SchrootTestbed } from './SchrootTestbed.ts';

/** A session of a chroot that schroot(1) manages; an ordinary user will do, where its configuration says so. */
export const schrootBackend = defineBackend({
  name: 'schroot',
  summary: 'a session of a chroot that schroot manages',
  options: schrootOptions,
  help: { positional: ['schroot'], short: { debug: 'd', sessionId: 's' } },
  probe: () => Promise.resolve().then(availability),
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

function availability(): Availability {
  const missing = missingPrograms(['schroot']);
  if (missing !== null) return missing;
  let configured: ReturnType<typeof readChroots>;
  try {
    configured = readChroots();
  } catch (error) {
    if (!(error instanceof BackendError) || error.remedy === undefined) throw error;
    return { available: false, missing: error.message, remedy: error.remedy };
  }
  if (configured.length === 0) return { available: false, missing: 'no chroots are configured', remedy: HOW_TO_DEFINE };
  const passing = configured.filter(({ config }) => !isPermanent(config));
  const [first] = passing;
  if (first === undefined)
    return {
      available: false,
      missing: `no chroot has sessions that can be thrown away (${configured.map(({ name }) => name).join(', ')})`,
      remedy: 'set union-type=overlay in its section in /etc/schroot/chroot.d/',
    };
  const letIn = (as: Admission) => passing.filter(({ config }) => admission(config) === as).map(({ name }) => name);
  const [asRoot, asItself] = [letIn('root'), letIn('itself')];
  if (asRoot.length + asItself.length === 0)
    return {
      available: false,
      missing: `no chroot lets ${ownAccount().name} in (${passing.map(({ name }) => name).join(', ')})`,
      remedy: howToAdmit(first.name, ownAccount().name),
    };
  const groups = [
    ...(asRoot.length > 0 ? [`chroots: ${asRoot.join(', ')}`] : []),
    ...(asItself.length > 0 ? [`chroots without a root in them: ${asItself.join(', ')}`] : []),
  ];
  return { available: true, detail: groups.join('; ') };
}

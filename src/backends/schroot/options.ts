import * as z from 'zod';
import { debugOption } from '../debugOption.ts';
import { sessionOptions } from '../shared/session/options.ts';

/** Options of the schroot backend, spelled as autopkgtest-virt-schroot(1) spells them where it has them. */
export const schrootOptions = z.object({
  schroot: z.string().describe('name of the chroot, as schroot --list shows it'),
  sessionId: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, 'must be letters, digits, dots, dashes and underscores')
    .optional()
    .describe('name of the session in schroot --list --all-sessions; made from the run by default'),
  ...sessionOptions,
  ...debugOption,
});

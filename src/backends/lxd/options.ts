import * as z from 'zod';
import { sessionOptions } from '../shared/session/options.ts';

/** The daemons of which this is the backend. */
export type Daemon = 'lxd' | 'incus';

/** Options of the lxd and incus backends, spelled as autopkgtest-virt-lxd(1) spells them where it has them. */
export const lxdOptions = z.object({
  image: z
    .string()
    .min(1)
    .describe('image to make the testbed from: an alias or fingerprint of this daemon, or SERVER:IMAGE to fetch one'),
  args: z
    .array(z.string())
    .default([])
    .describe(
      'further options of "init", such as --profile=ci or --config=limits.memory=2GiB, as they are typed there',
    ),
  remote: z.string().optional().describe('the daemon of another machine, as "remote list" of the client names it'),
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,62}$/, 'it must be letters, digits and dashes, as the name of a host')
    .optional()
    .describe("the instance's name; made from the run if not given"),
  debug: z.boolean().default(false).describe('have the client say more (--debug)'),
  program: z
    .string()
    .optional()
    .describe('what to run in place of lxc or incus: a script may add what this machine needs'),
  ...sessionOptions,
});

/** The options as parsed. */
export type LxdOptions = z.output<typeof lxdOptions>;

import * as z from 'zod';
import { debugOption } from '../debugOption.ts';
import { sessionOptions } from '../shared/session/options.ts';

/** Options of the unshare backend, spelled as autopkgtest-virt-unshare(1) spells them where it has them. */
export const unshareOptions = z.object({
  tarball: z.string().optional().describe('root file system: a tarball, or a directory'),
  release: z.string().optional().describe('release to look for in the cache of sbuild, or to bootstrap'),
  arch: z.string().optional().describe('Debian architecture to look for, or to bootstrap'),
  bootstrap: z.boolean().default(false).describe('make the image by mmdebstrap; it is kept for seven days'),
  include: z.array(z.string()).default([]).describe('package to bootstrap besides the smallest set; may be repeated'),
  mirror: z
    .array(z.string())
    .default([])
    .describe(
      'where to bootstrap from, as mmdebstrap takes it; where apt here takes the release from if not given; may be repeated',
    ),
  bind: z
    .array(z.string())
    .default([])
    .describe(
      'OUTSIDE INSIDE, or OUTSIDE:INSIDE: a directory of this machine and where the testbed sees it; may be repeated',
    ),
  map: z
    .enum(['auto', 'root', 'subuids', 'single'])
    .default('auto')
    .describe(
      'whose ids exist inside: root: all, without a user namespace; subuids: a range of subordinate ids; single: your own only; auto: the first of these that you can have',
    ),
  ...sessionOptions,
  prefix: z
    .string()
    .optional()
    .describe(
      'taken as autopkgtest-virt-unshare takes it, and without meaning: directories have the name of their run',
    ),
  privateNetwork: z.boolean().default(false).describe('give the testbed a network of its own, with only the loopback'),
  ...debugOption,
});

/** The unshare backend's options as parsed. */
export type UnshareOptions = z.output<typeof unshareOptions>;

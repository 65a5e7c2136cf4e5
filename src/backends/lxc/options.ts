import * as z from 'zod';
import { sessionOptions } from '../shared/session/options.ts';

/** Whether what stands for the template is the path of an image: no container's name has a slash. Pure. */
export function isPath(template: string): boolean {
  return template.includes('/');
}

/** Options of the lxc backend, spelled as autopkgtest-virt-lxc(1) spells them where it has them. */
export const lxcOptions = z
  .object({
    template: z
      .string()
      .min(1)
      .describe(
        'container to copy, as lxc-ls(1) lists it; or, with a slash in it, the path of a root file system: a directory or a tarball',
      ),
    args: z
      .array(z.string())
      .default([])
      .describe('further options of lxc-start(1), such as -s lxc.cgroup2.memory.max=2G, as they are typed there'),
    ephemeral: z
      .boolean()
      .default(false)
      .describe('put an overlay over the template in place of a copy: much faster. Of a path, it is always one'),
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'it must be letters, digits, dots and dashes')
      .optional()
      .describe("the container's name; made from the run if not given"),
    diskLimit: z
      .string()
      .regex(/^\d+[KMGTkmgt]?[Bb]?$/, 'it must be a size, such as 10G')
      .optional()
      .describe(
        'the most that the copy of a template may take, such as 10G: its files are in a loop device of that size',
      ),
    lxcpath: z
      .string()
      .optional()
      .describe("where containers are (-P of the lxc-* programs); this machine's lxc.lxcpath if not given"),
    sudo: z
      .boolean()
      .default(false)
      .describe(
        'taken as autopkgtest-virt-lxc takes it, and without meaning for root; anybody else runs trundle by sudo',
      ),
    debug: z.boolean().default(false).describe('have lxc-start say more, on the console'),
    ...sessionOptions,
  })
  .refine(({ template, diskLimit }) => diskLimit === undefined || !isPath(template), {
    path: ['diskLimit'],
    message: 'it is for the copy of a container, and an image is not copied: leave it out, or lxc-create one of it',
  });

/** The options as parsed. */
export type LxcOptions = z.output<typeof lxcOptions>;

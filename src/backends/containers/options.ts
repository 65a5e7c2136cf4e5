import * as z from 'zod';
import { sessionOptions } from '../shared/session/options.ts';

/** The programs of which this is the backend. */
export type Program = 'podman' | 'docker';

/** Options of the podman and docker backends, spelled as autopkgtest-virt-podman(1) spells them where it has them. */
export const containerOptions = z.object({
  image: z.string().min(1).describe('image to make the testbed from; it must be here, unless --pull is given'),
  args: z
    .array(z.string())
    .default([])
    .describe('further options of "create", such as --memory=2g, as they are typed there'),
  init: z
    .boolean()
    .default(false)
    .describe('boot the init system of the image; else a shell that does nothing holds the container'),
  pull: z.boolean().default(false).describe('fetch the newest image first; else nothing is ever fetched'),
  sudo: z.boolean().default(false).describe('run the program by sudo'),
  debug: z.boolean().default(false).describe('have the program say more (--log-level=debug)'),
  network: z
    .string()
    .default('none')
    .describe("the container's network, as --network of the program; none leaves the firewall of this machine alone"),
  remote: z
    .boolean()
    .default(false)
    .describe("taken from autopkgtest's users; a daemon elsewhere is all alike, since nothing is shared with it"),
  sharedDir: z
    .string()
    .optional()
    .describe("taken from autopkgtest's users; files are copied, so no directory is shared"),
  program: z
    .string()
    .optional()
    .describe('what to run in place of podman or docker: a script may add what this machine needs'),
  ...sessionOptions,
});

/** The options as parsed. */
export type ContainerOptions = z.output<typeof containerOptions>;

import * as z from 'zod';
import { sessionOptions } from '../shared/session/options.ts';

/** Options of the nspawn backend; those that systemd-nspawn(1) has are spelled as there. */
export const nspawnOptions = z.object({
  image: z.string().describe('root file system: a directory or a tarball; tests write to neither'),
  boot: z
    .boolean()
    .default(false)
    .describe("run the image's init as PID 1, with its services and sessions; the testbed can then be rebooted"),
  network: z
    .enum(['private', 'host'])
    .default('private')
    .describe("private: a network of its own with only the loopback; host: this machine's"),
  ...sessionOptions,
});

/** The nspawn backend's options as parsed. */
export type NspawnOptions = z.output<typeof nspawnOptions>;

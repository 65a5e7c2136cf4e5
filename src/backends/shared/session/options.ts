import * as z from 'zod';
import { SESSION_KINDS } from './openSession.ts';

/** Options that every backend of this kind has; spread them into its schema. */
export const sessionOptions = {
  session: z
    .enum(SESSION_KINDS)
    .default('auto')
    .describe(
      "login: a real session of the image's sshd; stand-in: the SSH server inside trundle enters the testbed; auto: login where the image has an sshd",
    ),
  login: z.string().optional().describe('user for commands that ask for none; root where there is one'),
  normalUser: z.string().optional().describe('ordinary user to suggest for tests that do not need root'),
};

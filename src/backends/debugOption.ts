import * as z from 'zod';

/** For backends without a program that could say more: whoever comes from autopkgtest's servers may leave it there. */
export const debugOption = {
  debug: z.boolean().default(false).describe("taken from autopkgtest's users; what says more is -d of trundle itself"),
};

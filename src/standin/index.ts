export { loginEnvironment, parseAccount } from './accounts.ts';
export type { Account, Entry, SessionProcess, StandIn } from './contract.ts';
export { createStandIn } from './createStandIn.ts';
export { hostEntry } from './hostEntry.ts';
export { generateKeys } from './keys.ts';

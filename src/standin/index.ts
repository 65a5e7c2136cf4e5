export { loginEnvironment, parseAccount } from './accounts.ts';
export type { Account, Entry, SessionProcess, StandIn } from './contract.ts';
export { createStandIn, type StandInOptions } from './createStandIn.ts';
export { hostEntry } from './hostEntry.ts';
export { generateKeys, type Keys } from './keys.ts';

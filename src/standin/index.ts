export { findAccount, loginEnvironment, parseAccount, ROOT_PATH, USUAL_LIMITS } from './accounts.ts';
export type {
  AnsweredChannel,
  AnsweredConnection,
  AnsweringServer,
  ConnectionPlan,
  ExecRequest,
} from './answering/contract.ts';
export { createAnsweringServer } from './answering/createAnsweringServer.ts';
export type { Account, Entry, Place, PtyRequest, SessionProcess, StandIn } from './contract.ts';
export { createStandIn } from './createStandIn.ts';
export { hostEntry } from './hostEntry.ts';
export { generateKeys } from './keys.ts';
export { teller } from './launching/telling.ts';

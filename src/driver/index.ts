export type {
  Driver,
  DriverHost,
  ExecSpec,
  ExecStreams,
  Forward,
  ForwardRequest,
  Keepalive,
} from './contract.ts';
export { CopyError, type CopyExec, type CopyRequest, copyDown, copyUp } from './copy/index.ts';
export { createDriver } from './createDriver.ts';
export { fingerprintOf, generateKeyPair, type KeyPair } from './keys.ts';

export type {
  Driver,
  ExecSpec,
  ExecStreams,
  Forward,
  Messenger,
} from './contract.ts';
export { CopyError, copyDown, copyUp } from './copy/index.ts';
export { createDriver } from './createDriver.ts';
export { generateKeyPair, type KeyPair } from './keys.ts';

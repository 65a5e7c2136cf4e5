export { importModule } from './importModule.ts';
export { makeDirectory } from './makeDirectory.ts';
export { homeDirectory, ownAccount } from './ownAccount.ts';
export { type PipedProcess, pipedChild } from './pipedProcess.ts';
export { startProgram } from './startProgram.ts';

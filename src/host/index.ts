export { importModule } from './importModule.ts';
export { makeDirectory } from './makeDirectory.ts';
export { type PipedProcess, pipedChild } from './pipedProcess.ts';
export { startProgram } from './startProgram.ts';

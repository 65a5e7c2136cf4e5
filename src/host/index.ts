export { importModule } from './importModule.ts';
export { makeDirectory } from './makeDirectory.ts';
export { startProgram } from './startProgram.ts';

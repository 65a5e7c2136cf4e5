export { importModule } from './importModule.ts';
export { makeDirectory } from './makeDirectory.ts';

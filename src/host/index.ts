export { makeDirectory } from './makeDirectory.ts';

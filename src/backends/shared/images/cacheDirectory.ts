import { join } from 'node:path';
import { homeDirectory } from '../../../host/index.ts';

/** Where unpacked images are kept (XDG Base Directory Specification). */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CACHE_HOME: own } = env;
  return join(own?.startsWith('/') ? own : join(homeDirectory(), '.cache'), 'trundle');
}

import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where unpacked images are kept (XDG Base Directory Specification). */
export function cacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { XDG_CACHE_HOME: own } = env;
  return join(own?.startsWith('/') ? own : join(homedir(), '.cache'), 'trundle');
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeDirectory } from '../../host/index.ts';

/** The files of containers.conf(5) that podman reads, as far as they can be read. */
export function podmanConf(env: NodeJS.ProcessEnv = process.env): string[] {
  const named = env.CONTAINERS_CONF ?? '';
  const home = env.XDG_CONFIG_HOME || join(homeDirectory(), '.config');
  const own = process.getuid?.() === 0 ? [] : withAdditions(join(home, 'containers/containers.conf'));
  const usual = ['/usr/share/containers/containers.conf', ...withAdditions('/etc/containers/containers.conf'), ...own];
  const files = named === '' ? usual : [named];
  return [...files, env.CONTAINERS_CONF_OVERRIDE ?? ''].flatMap(textOf);
}

/** The value of a key in a file of containers.conf(5), in TOML's words, over as many lines as it has; null for none. Pure. */
export function confValue(text: string, key: string): string | null {
  const plain = text.replaceAll(/^\s*#.*\n?/gm, '');
  return new RegExp(`^\\s*${key}\\s*=\\s*(\\[[^\\]]*\\]|.*)`, 'm').exec(plain)?.[1]?.trim() ?? null;
}

function withAdditions(file: string): string[] {
  try {
    const folder = `${file}.d`;
    const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
    return [file, ...names.toSorted().map((name) => join(folder, name))];
  } catch {
    // There are none.
    return [file];
  }
}

function textOf(file: string): string[] {
  try {
    return file === '' ? [] : [readFileSync(file, 'utf8')];
  } catch {
    // podman passes over one that is not there.
    return [];
  }
}

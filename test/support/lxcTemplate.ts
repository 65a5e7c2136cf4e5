import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workplace } from './workplace.ts';

/** A directory of containers of LXC, with one that may be copied. */
export interface LxcTemplate {
  readonly lxcpath: string;
  readonly name: string;
}

/**
 * Defines a container in a directory of containers of its own, for one test.
 * @param populate makes its root file system, where lxc-create(1) would
 */
export function defineTemplate(populate: (rootfs: string) => void): LxcTemplate {
  const lxcpath = workplace();
  const name = 'template';
  mkdirSync(join(lxcpath, name));
  const rootfs = join(lxcpath, name, 'rootfs');
  populate(rootfs);
  writeFileSync(
    join(lxcpath, name, 'config'),
    `lxc.include = /usr/share/lxc/config/common.conf
lxc.apparmor.profile = unconfined
lxc.net.0.type = empty
lxc.uts.name = ${name}
lxc.rootfs.path = dir:${rootfs}
`,
  );
  return { lxcpath, name };
}

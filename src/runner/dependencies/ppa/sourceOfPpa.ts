import type { LaunchpadServers } from './Launchpad.ts';
import type { SignedPpa } from './ppa.ts';

/** What apt in a testbed needs for a PPA: files by path, and the line for its sources. */
export interface PpaSource {
  readonly key: string;
  readonly list: string;
  readonly lines: string;
  /** Who may read a private one (apt_auth.conf(5)); null for a public one. */
  readonly auth: { readonly file: string; readonly text: string } | null;
}

/** @param series codename of the testbed's release */
export function sourceOfPpa(ppa: SignedPpa, series: string, servers: LaunchpadServers): PpaSource {
  const { owner, distribution, name, credentials } = ppa;
  const base = credentials === null ? servers.archive : servers.privateArchive;
  const url = `${base}/${owner}/${name}/${distribution}`;
  // apt passes over files with anything else in their names.
  const id = `autopkgtest-ppa-${owner}-${distribution}-${name}`.replaceAll(/[^A-Za-z0-9_.-]/g, '_');
  const key = `/etc/apt/keyrings/${id}.asc`;
  const rest = `[signed-by=${key}] ${url} ${series} main`;
  return {
    key,
    list: `${id}.list`,
    lines: `deb ${rest}\ndeb-src ${rest}`,
    auth:
      credentials === null
        ? null
        : {
            file: `/etc/apt/auth.conf.d/${id}.conf`,
            // Without a protocol it is for HTTPS only, which old versions of apt do not know to be said.
            text: `machine ${url.replace(/^https:\/\//, '')} login ${credentials.user} password ${credentials.token}`,
          },
  };
}

import { defineBackend } from '../contract.ts';
import { LxdTestbed, lxdCapabilities } from './LxdTestbed.ts';
import { type Daemon, lxdOptions } from './options.ts';
import { probe } from './probe.ts';

const help = { positional: ['image', 'args'], passThrough: true, short: { debug: 'd', remote: 'r' } } as const;

/** One backend for each daemon: they come of one, and differ in their client's name and their socket. */
function instances(name: Daemon, summary: string) {
  return defineBackend({
    name,
    summary,
    options: lxdOptions,
    help,
    probe: () => probe(name),
    capabilities: lxdCapabilities,
    whyNotKept: () => null,
    open: (options, host) => new LxdTestbed(name, options, host),
  });
}

/** A system container of LXD. */
export const lxdBackend = instances('lxd', 'a system container of LXD, with its own init');

/** A system container of Incus. */
export const incusBackend = instances('incus', 'a system container of Incus, with its own init');

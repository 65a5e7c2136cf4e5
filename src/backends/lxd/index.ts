import * as z from 'zod';
import { defineBackend } from '../contract.ts';
import { LxdTestbed, lxdCapabilities } from './LxdTestbed.ts';
import { type Daemon, lxdOptions } from './options.ts';
import { probe } from './probe.ts';

/** The other one is another backend. */
const OTHER: Readonly<Record<Daemon, Daemon>> = { lxd: 'incus', incus: 'lxd' };

/** With the option by which autopkgtest's server is told which of the two it is. */
function optionsOf(name: Daemon): typeof lxdOptions {
  const text = `taken from autopkgtest's users; it is ${name} that is asked anyway`;
  return lxdOptions.extend({ [name]: z.boolean().default(false).describe(text) }) as unknown as typeof lxdOptions;
}

/** One backend for each daemon: they come of one, and differ in their client's name and their socket. */
function instances(name: Daemon, summary: string) {
  return defineBackend({
    name,
    summary,
    options: optionsOf(name),
    help: {
      positional: ['image', 'args'],
      passThrough: true,
      short: { debug: 'd', remote: 'r' },
      refused: {
        [`--${OTHER[name]}`]: `that is a backend of its own: -- ${OTHER[name]} IMAGE`,
        '--vm':
          'the testbed is a container. For a virtual machine, start one and give its address: -- ssh --hostname HOST',
        '--delete-existing':
          'an instance that is not of this run is left alone. Remove it first, or give another --name',
      },
    },
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

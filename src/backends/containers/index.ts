import { defineBackend } from '../contract.ts';
import { ContainerTestbed, containerCapabilities } from './ContainerTestbed.ts';
import { containerOptions, type Program } from './options.ts';
import { probe } from './probe.ts';

const help = {
  positional: ['image', 'args'],
  passThrough: true,
  short: { debug: 'd', pull: 'p', sudo: 's' },
} as const;

/** One backend for each program: they take the same commands, and differ in what an init needs. */
function containers(name: Program, summary: string) {
  return defineBackend({
    name,
    summary,
    options: containerOptions,
    help,
    probe: () => probe(name),
    capabilities: (options) => containerCapabilities(options),
    whyNotKept: () => null,
    open: (options, host) => new ContainerTestbed(name, options, host),
  });
}

/** A container of podman(1), root's or an ordinary user's. */
export const podmanBackend = containers('podman', 'a container of podman; needs no root');

/** A container of docker(1). */
export const dockerBackend = containers('docker', 'a container of docker');

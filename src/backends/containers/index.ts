import * as z from 'zod';
import { defineBackend } from '../contract.ts';
import { ContainerTestbed, containerCapabilities } from './ContainerTestbed.ts';
import { containerOptions, type Program } from './options.ts';
import { probe } from './probe.ts';

/** The other one is another backend. */
const OTHER: Readonly<Record<Program, Program>> = { podman: 'docker', docker: 'podman' };

/** With the option by which autopkgtest's server is told which of the two it is. */
function optionsOf(name: Program): typeof containerOptions {
  const text = `taken from autopkgtest's users; it is ${name} that is run anyway`;
  return containerOptions.extend({
    [name]: z.boolean().default(false).describe(text),
  }) as unknown as typeof containerOptions;
}

/** One backend for each program: they take the same commands, and differ in what an init needs. */
function containers(name: Program, summary: string) {
  return defineBackend({
    name,
    summary,
    options: optionsOf(name),
    help: {
      positional: ['image', 'args'],
      passThrough: true,
      short: { debug: 'd', pull: 'p', sudo: 's' },
      refused: { [`--${OTHER[name]}`]: `that is a backend of its own: -- ${OTHER[name]} IMAGE` },
    },
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

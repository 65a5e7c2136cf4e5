import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from './providers.ts';

export const noShell: Change = (root) => rmSync(join(root, 'bin/sh'));

/** e_machine of elf(5): a VAX, which nobody emulates here. */
export const foreign: Change = (root) => {
  const busybox = join(root, 'bin/busybox');
  const program = readFileSync(busybox);
  program.writeUInt16LE(75, 18);
  rmSync(busybox);
  writeFileSync(busybox, program, { mode: 0o755 });
};

/** An sshd that takes its configuration and ends as soon as it is to serve. */
export const exitingSshd: Change = (root) => {
  mkdirSync(join(root, 'sbin'), { recursive: true });
  const file = join(root, 'sbin/sshd');
  writeFileSync(file, '#!/bin/sh\n[ "$1" != -t ] || exit 0\necho "sshd: out of luck" >&2\nexit 7\n');
  chmodSync(file, 0o755);
};

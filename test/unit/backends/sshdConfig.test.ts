import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installScript } from '../../../src/backends/shared/session/sshdConfig.ts';
import { workplace } from '../../support/workplace.ts';

/** systemd removes the directory where the image's own ssh.service cannot start, and makes it again for the next try. */
test.each(['chmod', 'cat'])('sshd has the directory that it locks itself up in, gone while %s runs', (program) => {
  const place = workplace();
  const privsep = join(place, 'run-sshd');
  const bin = join(place, 'bin');
  mkdirSync(privsep);
  mkdirSync(bin);
  writeFileSync(join(bin, program), `#!/bin/sh\nrm -r ${privsep}\nPATH=/usr/bin:/bin\nexec ${program} "$@"\n`, {
    mode: 0o755,
  });
  const sshd = join(bin, 'sshd');
  writeFileSync(sshd, `#!/bin/sh\n[ -d ${privsep} ] && echo starts\n`, { mode: 0o755 });
  const script = installScript({ directory: join(place, 'files'), hostKey: 'key', authorizedKey: 'key', pam: false });
  // Its files are written between the first look at the directory and sshd's start.
  const harness = script.replaceAll('/run/sshd', privsep).replace('umask 077', 'cat </dev/null\numask 077');

  const { stdout } = spawnSync('sh', ['-s'], {
    input: `uid=0 sshd=${sshd}\n${harness}`,
    env: { PATH: `${bin}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
  expect(stdout).toContain('starts\n');
  expect(existsSync(join(place, 'files', 'host_key'))).toBe(true);
  expect(statSync(privsep).mode & 0o777).toBe(0o755);
});

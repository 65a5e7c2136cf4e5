import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { surveyScript } from '../../src/backends/shared/session/prepare.ts';
import { describeWith } from '../support/needs.ts';

/** Every shell that may be an image's /bin/sh: some read a script from a pipe by blocks, others by lines. */
const SHELLS = [
  ['dash', '-s'],
  ['bash', '--posix', '-s'],
  ['busybox', 'sh', '-s'],
] as const;

describeWith(['sshd', 'busybox'], 'what surveys a testbed and becomes its SSH server', () => {
  for (const [program, ...args] of SHELLS) {
    test(`leaves to it just what its client says, where sh is ${program}`, async () => {
      const script = surveyScript('echo serving\nif true; then\n  exec cat\nfi\n');
      const child = spawn(program, [...args, '--', 'root'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let said = '';
      const serving = new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (/^serving$/m.test(said)) resolve();
        });
      });
      child.stdin.write(script);
      await serving;
      child.stdin.end('SSH-2.0-client\n');
      await once(child, 'close');

      expect(said.slice(said.indexOf('\nserving\n'))).toBe('\nserving\nSSH-2.0-client\n');
    });
  }
});

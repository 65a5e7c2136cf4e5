import { existsSync } from 'node:fs';
import { startProgram } from '../../host/index.ts';
import type { Launched, Launching, LaunchRequest } from './contract.ts';

/**
 * Starts processes as children of our own, where there is no launcher. It takes longer, and they are connected by Unix
 * sockets, which cannot be opened by name. By these bash would take us for rshd and read ~/.bashrc before each command,
 * but for SHLVL, which tells it that it is an inner shell.
 */
export const spawnDirectly: Launching = {
  inside: false,
  launch,
  close: () => Promise.resolve(),
};

function launch({ argv, env, cwd }: LaunchRequest): Promise<Launched> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = argv;
    const child = startProgram(program, args, {
      cwd: existsSync(cwd) ? cwd : '/',
      env: { SHLVL: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    child.once('error', reject);
    const { pid, stdin, stdout, stderr } = child;
    if (pid === undefined) return;
    const ended = new Promise<Awaited<Launched['ended']>>((end) => {
      child.once('exit', (status, signal) => end({ status, signal }));
    });
    resolve({ pid, stdin, stdout, stderr, ended });
  });
}

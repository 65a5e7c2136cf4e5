import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The first process, as this machine numbers it, of the pid namespace that a process lives in: the init of a testbed,
 * found from outside whatever the testbed is.
 * @throws Error where there is none besides this machine's
 */
export function initOf(pid: number): number {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  if (namespace === readlinkSync('/proc/self/ns/pid')) throw new Error(`${pid} has no pid namespace of its own`);
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readlinkSync(`/proc/${name}/ns/pid`) !== namespace) continue;
      // proc(5), /proc/PID/status: the number in each namespace, the innermost last.
      const [, numbers = ''] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8')) ?? [];
      if (numbers.split(/\s+/).at(-1) === '1') return Number(name);
    } catch {
      // It ended while we looked.
    }
  }
  throw new Error(`the namespace of ${pid} has no first process`);
}

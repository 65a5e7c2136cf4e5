import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** What all marks of this test file begin with; nobody else's do. */
const FILE = `31${randomBytes(4).readUInt32LE()}0`;

/** What backends start on this machine has it in its environment. */
process.env.TRUNDLE_CONTRACT = FILE;

let made = 0;

/** An argument of sleep(1) that no other process has: such a process can be found from outside a testbed. */
export function makeMark(): string {
  made += 1;
  return `${FILE}${made}`;
}

/** Pids of this machine's processes whose command line holds a text. Testbeds that share its kernel show theirs. */
export function processesWith(text: string): number[] {
  return processesWhose('cmdline', text);
}

/** What is left of all that this file started: marked commands in testbeds, and whatever backends started for them. */
export function markedProcesses(): string[] {
  const pids = new Set([...processesWhose('cmdline', FILE), ...processesWhose('environ', FILE)]);
  // Its workers' own files are none of a testbed's.
  pids.delete(process.pid);
  return [...pids].map((pid) => `${pid} ${read(pid, 'cmdline').replaceAll('\0', ' ')}`);
}

function processesWhose(file: 'cmdline' | 'environ', text: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => read(pid, file).includes(text));
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // It ended while we looked, or is none of ours.
    return '';
  }
}

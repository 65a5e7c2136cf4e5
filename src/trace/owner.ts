import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, release, type } from 'node:os';
import { type HostSystem, type Owner, TRACE_VERSION, type TraceHeader } from './contract.ts';

/** Whether a trace's owner lives. `unknown`: it runs, or ran, where we cannot look. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** What /proc tells of a process (proc(5), /proc/PID/stat). */
export interface ProcessStat {
  /** One letter; Z and X are processes that have ended. */
  state: string;
  parent: number;
  processGroup: number;
  /** Clock ticks since boot. */
  startTime: number;
}

/** The header of a trace that this process begins now. `now` is the wall-clock time at which `at` is 0. */
export function createHeader(of: { run: string; trundle: string; now: Date }): TraceHeader {
  return {
    trundle: of.trundle,
    format: TRACE_VERSION,
    run: of.run,
    started: of.now.toISOString(),
    owner: thisProcess(),
    system: thisSystem(),
  };
}

function thisSystem(): HostSystem {
  return { kernel: `${type()} ${release()} ${process.arch}`, node: process.versions.node, zone: timeZone() };
}

/** Intl takes 25 milliseconds to begin: most machines that run tests have the one zone that needs no look into its data. */
function timeZone(): string {
  const name = process.env.TZ ?? attempt(() => readlinkSync('/etc/localtime').replace(/^.*\/zoneinfo\//, ''));
  return name === 'Etc/UTC' || name === 'UTC' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** This process, as the owner of a trace. */
export function thisProcess(): Owner {
  const owner: Owner = { pid: process.pid, startTime: statOf(process.pid)?.startTime ?? 0, host: hostname() };
  const boot = attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  const pidNamespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  if (boot !== null) owner.boot = boot;
  if (pidNamespace !== null) owner.pidNamespace = pidNamespace;
  return owner;
}

/** Whether the owner still lives, as seen from this process. Changes nothing. */
export function livenessOf(owner: Owner, seenFrom: Owner = thisProcess()): Liveness {
  if (owner.host !== seenFrom.host) return 'unknown';
  if (owner.boot !== undefined && seenFrom.boot !== undefined && owner.boot !== seenFrom.boot) return 'dead';
  if (owner.pidNamespace !== seenFrom.pidNamespace) return 'unknown';
  // Without a start time nothing proves who has that pid now.
  if (seenFrom.startTime === 0) return 'unknown';
  return isAlive(owner.pid, owner.startTime) ? 'alive' : 'dead';
}

/** Whether the process with this pid is the one that started then, and has not ended. */
export function isAlive(pid: number, startTime: number): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

/** Null where no process has this pid. */
export function statOf(pid: number): ProcessStat | null {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (text === null) return null;
  // Field 2 is the name in parentheses and may hold anything, so count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    processGroup: Number(fields[2]),
    startTime: Number(fields[19]),
  };
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // No such process, or no /proc at all: both mean that there is nothing to see.
    return null;
  }
}

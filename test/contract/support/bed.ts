import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TrundleEvent } from '../../../src/events/index.ts';
import { createMachines } from '../../../src/machines/index.ts';
import { type OpenTestbedOptions, openTestbed, type Testbed } from '../../../src/testbed/index.ts';
import { isEvent, readTrace, replay, resourcesLeft, type TraceLine } from '../../../src/trace/index.ts';
import { EventLog } from '../../support/eventLog.ts';
import type { Preparation } from './backends.ts';
import { processesWith } from './marks.ts';

/** A testbed of the backend under test, with all that it tells. */
export interface Bed extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly log: EventLog;
  /** Closes it, and checks what holds for every testbed that is gone. Safe to call again. */
  close(): Promise<TrundleEvent[]>;
  /** Whether it was taken down, by whomever. */
  isGone(): boolean;
}

/** Opens a testbed with a trace of its own. */
export async function openBed(preparation: Preparation, options: OpenTestbedOptions = {}): Promise<Bed> {
  const directory = await mkdtemp(join(tmpdir(), 'trundle-contract-'));
  const trace = join(directory, 'trace');
  let log: EventLog | undefined;
  try {
    const testbed = await openTestbed(preparation.backend, {
      ...options,
      trace,
      onRun: (run) => {
        log = new EventLog(run.events$);
        options.onRun?.(run);
      },
    });
    const told = log;
    if (told === undefined) throw new Error('there was no run');
    let closing: Promise<TrundleEvent[]> | undefined;
    const close = () => {
      closing ??= testbed.close().then(() => expectGone(trace));
      return closing;
    };
    return {
      testbed,
      log: told,
      close,
      isGone: () => told.all('testbed.removed').length > 0,
      async [Symbol.asyncDispose]() {
        await close().finally(() => rmSync(directory, { recursive: true, force: true }));
      },
    };
  } catch (error) {
    // What never opened must be gone as well.
    await expectGone(trace).finally(() => rmSync(directory, { recursive: true, force: true }));
    throw error;
  }
}

/**
 * What holds once a testbed is gone, however it went: its trace ends and replays the same, every resource was given
 * back, and nothing of it is left on this machine.
 */
async function expectGone(trace: string): Promise<TrundleEvent[]> {
  const lines: TraceLine[] = [];
  for await (const line of (await readTrace(trace, { validate: true })).lines()) lines.push(line);
  const events = lines.filter(isEvent);
  expect(events.at(-1)?.type).toBe('run.concluded');
  expect(events.filter((event) => event.type === 'testbed.removed')).toMatchObject([{ leftovers: [] }]);
  expect(events.filter((event) => event.type === 'event.unexpected')).toEqual([]);
  expect(resourcesLeft(lines)).toEqual([]);
  expect(await replay(await readTrace(trace), { createMachines })).toMatchObject({ same: true });
  const run = events[0]?.run ?? '';
  expect(readdirSync(tmpdir()).filter((name) => name.includes(run))).toEqual([]);
  expect(processesWith(run)).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(run);
  for (const event of events) if (event.type === 'resource.acquired') expectReleased(event);
  return events;
}

function expectReleased({ kind, name }: TrundleEvent<'resource.acquired'>): void {
  if (kind === 'directory' || kind === 'file' || kind === 'socket') expect(existsSync(name), name).toBe(false);
}

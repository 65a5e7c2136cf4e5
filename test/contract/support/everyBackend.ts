import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import type { TrundleEvent } from '../../../src/events/index.ts';
import { createMachines } from '../../../src/machines/index.ts';
import { type OpenTestbedOptions, openTestbed, type Testbed } from '../../../src/testbed/index.ts';
import { isEvent, readTrace, replay, resourcesLeft, type TraceLine } from '../../../src/trace/index.ts';
import { EventLog } from '../../support/eventLog.ts';
import { IMAGE_PATIENCE } from '../../support/images.ts';
import { describeWith, type Need } from '../../support/needs.ts';
import { BACKENDS, type BackendUnderTest, type Preparation } from './backends.ts';
import { markedProcesses, processesWith } from './marks.ts';

/** Whose process this is, as {@link BackendUnderTest.by} says; vitest.config.ts runs the suite once for each. */
export const runBy = process.env.TRUNDLE_TESTS_BY;

/** A testbed of the backend under test, with all that it tells. */
export interface Bed extends AsyncDisposable {
  readonly testbed: Testbed;
  readonly log: EventLog;
  /** Closes it, and checks what holds for every testbed that is gone. Safe to call again. */
  close(): Promise<TrundleEvent[]>;
}

/** What the tests of one backend are given. */
export interface Contract {
  readonly backend: BackendUnderTest;
  /** An open testbed that all tests of the suite share. */
  readonly testbed: Testbed;
  /** Whom an ordinary user's commands run as. */
  readonly ordinary: string;
  /** A configured backend, made ready on this machine. */
  readonly preparation: Preparation;
  /** Opens another testbed; it must be closed by the test (`await using`). */
  open(options?: OpenTestbedOptions): Promise<Bed>;
}

/** How a suite is run for every backend. */
interface SuiteOptions {
  /** What this suite needs beyond what the backend does; null where the backend cannot have it. */
  readonly needs?: (backend: BackendUnderTest) => readonly Need[] | null;
  /** Whether its tests share an open testbed (default true). */
  readonly shared?: boolean;
  /** Backends that it is run for besides those of the registry. */
  readonly also?: readonly BackendUnderTest[];
}

/**
 * A suite that every backend must pass. Its tests are made once for each entry of the registry; where all share one
 * testbed, it is opened before the first and checked when it is closed after the last.
 */
export function everyBackend(name: string, suite: (contract: Contract) => void, options: SuiteOptions = {}): void {
  const { needs = () => [], shared = true, also = [] } = options;
  for (const backend of [...BACKENDS, ...also]) {
    const more = needs(backend);
    if (backend.by !== runBy) continue;
    if (more === null || backend.spared?.includes(name)) continue;
    describeWith([...backend.needs, ...more], `${name} (${backend.name})`, () => {
      let preparation: Preparation | null = null;
      let bed: Bed | null = null;
      const given = <T>(thing: T | null, what: string): T => {
        if (thing === null) throw new Error(`${backend.name}: there is no ${what}`);
        return thing;
      };
      beforeAll(async () => {
        preparation = await backend.prepare();
        if (shared) bed = await openBed(preparation);
        // The first that needs an image makes it.
      }, IMAGE_PATIENCE);
      afterAll(async () => {
        try {
          await bed?.[Symbol.asyncDispose]();
        } finally {
          await preparation?.[Symbol.asyncDispose]();
        }
        // A server that was killed takes a moment to die.
        await vi.waitFor(() => expect(markedProcesses()).toEqual([]), { timeout: 10_000 });
      });
      suite({
        backend,
        get preparation() {
          return given(preparation, 'preparation');
        },
        get testbed() {
          return given(bed, 'shared testbed').testbed;
        },
        get ordinary() {
          return given(given(preparation, 'preparation').ordinary, 'ordinary user');
        },
        open: (openOptions) => openBed(given(preparation, 'preparation'), openOptions),
      });
    });
  }
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
    if (log === undefined) throw new Error('there was no run');
    let closing: Promise<TrundleEvent[]> | undefined;
    const close = () => {
      closing ??= testbed.close().then(() => expectGone(trace));
      return closing;
    };
    return {
      testbed,
      log,
      close,
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

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { isEvent, readTrace } from '../../src/trace/index.ts';
import { workplace } from '../support/workplace.ts';
import { root } from './support/cli.ts';

/** Milliseconds of the recorder's clock that may be lost. */
const BATCH = 5;

const address = (path: string) => pathToFileURL(join(root, path)).href;

/** Records events as fast as it can, notes when it handed over each, and is gone after so many of them. */
const WRITER = `
import { writeFileSync } from 'node:fs';
import { createHeader, createRecorder } from '${address('src/trace/index.ts')}';
const [, , directory, notes, end] = process.argv;
const clock = { now: () => performance.now(), after: (ms, done) => setTimeout(done, ms), clear: clearTimeout };
const header = createHeader({ run: 'r1', trundle: '0.1.0', now: new Date() });
const recorder = createRecorder({ directory, header, clock, onError: (error) => { throw error; } });
const start = clock.now();
const times = [];
const more = (seq) => {
  for (let count = 0; count < 100; count++, seq++) {
    const at = clock.now() - start;
    const line = 'x'.repeat(seq % 200);
    recorder.event({ v: 1, seq, at, run: 'r1', testbed: 'tb1', from: 'backend', type: 'console.printed', line });
    times.push(at);
    if (seq < Number(end)) continue;
    writeFileSync(notes, JSON.stringify(times));
    process.kill(process.pid, 'SIGKILL');
  }
  setImmediate(more, seq);
};
more(1);
`;

test.each([1, 99, 500, 2_345, 20_000])(
  'a writer killed after %d events has lost none but those of the last 5 ms',
  async (events) => {
    const place = workplace();
    const [directory, notes, writer] = ['trace', 'notes', 'writer.mjs'].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(writer, WRITER);
    const words = ['--import', address('node_modules/tsx/dist/loader.mjs'), writer, directory, notes, String(events)];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');

    const times: number[] = JSON.parse(readFileSync(notes, 'utf8'));
    const last = times.at(-1) ?? 0;
    const trace = await readTrace(directory, { validate: true });
    let kept = 0;
    for await (const line of trace.lines()) if (isEvent(line)) kept += 1;
    expect(times).toHaveLength(events);
    expect(kept).toBeGreaterThanOrEqual(times.filter((at) => at < last - BATCH).length);
    // Whole lines only; what the kill cut off is known to be cut off.
    expect(trace.end?.truncated).toBe(!readFileSync(trace.file, 'utf8').endsWith('\n'));
  },
);

import { systemClock, type TrundleEvent } from '../../events/index.ts';
import { createMachines } from '../../testbed/index.ts';
import {
  type Edit,
  EditError,
  isEvent,
  minimise,
  parseInsertion,
  readTrace,
  renderSlice,
  renderWhatIf,
  whatIf,
  writeSlice,
} from '../../trace/index.ts';
import type { Io } from '../Io.ts';
import { traceArgument } from '../live/traceArgument.ts';
import { UsageError } from '../UsageError.ts';
import type { ReplaySettings } from '../verbs/replay.ts';

/** Tells what an edited history comes to, or the smallest one. @returns the exit code: 0 the same verdict, 1 another */
export async function editTrace(argument: string | undefined, settings: ReplaySettings, io: Io): Promise<number> {
  const trace = await readTrace(await traceArgument(argument, settings.last ?? false, io.env));
  const events: TrundleEvent[] = [];
  for await (const lines of trace.batches()) events.push(...lines.filter(isEvent));
  const { run } = trace.header;
  const head = { run, trace: trace.directory };
  if (settings.minimise === true) {
    const slice = minimise(events, createMachines);
    const { output = null } = settings;
    if (output !== null && slice !== null)
      writeSlice(output, { slice, header: trace.header, clock: systemClock, createMachines });
    if (settings.json === true) io.document({ ...head, slice });
    else io.stdout.write(renderSlice(run, slice, output));
    return slice === null ? 1 : 0;
  }
  try {
    const result = whatIf(events, await editsOf(settings, events), createMachines);
    const { before, after } = result;
    const same = JSON.stringify(before) === JSON.stringify(after);
    if (settings.json === true) {
      const { events: _whole, ...told } = result;
      io.document({ ...head, same, ...told });
    } else io.stdout.write(renderWhatIf(run, result));
    return same ? 0 : 1;
  } catch (error) {
    if (error instanceof EditError) throw new UsageError(error.message);
    throw error;
  }
}

async function editsOf(settings: ReplaySettings, events: readonly TrundleEvent[]): Promise<Edit[]> {
  const edits: Edit[] = [];
  for (const text of (settings.without ?? []).flatMap((each) => each.split(','))) {
    const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
    if (first === '') throw new EditError(`--without ${text}: expected the number of an event, or a range as in 17-20`);
    const range = first !== last;
    for (let seq = Number(first); seq <= Number(last); seq++) {
      // Of a range what happened goes; what machines concluded from it follows.
      if (!range || events[seq - 1]?.from !== 'machine') edits.push({ kind: 'without', seq });
    }
  }
  for (const text of settings.insert ?? []) {
    const [, after, json = ''] = /^(\d+):(.*)$/s.exec(text) ?? [];
    if (after === undefined) throw new EditError(`--insert ${text}: expected N:JSON, as in '17:{"type":"..."}'`);
    edits.push({ kind: 'insert', after: Number(after), draft: await parseInsertion(json, events, Number(after)) });
  }
  for (const [deadline, ms] of Object.entries(settings.deadline ?? {})) edits.push({ kind: 'deadline', deadline, ms });
  return edits;
}

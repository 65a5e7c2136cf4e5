import type { Owner } from '../contract.ts';
import { foldResources, isEvent, type Resource } from '../folds.ts';
import { readTrace } from '../readTrace.ts';
import { type Environment, listRuns } from '../registry.ts';
import { TraceError } from '../TraceError.ts';

/** What a command of its backend removes by its name alone, whosever it is. */
const BY_NAME: ReadonlySet<Resource['kind']> = new Set<Resource['kind']>(['session', 'container']);

/** Whether only its name tells what is to be removed. Pure. */
export function isByName({ kind, check }: Resource): boolean {
  return BY_NAME.has(kind) && check === undefined;
}

/** Which run that is alive holds one of this kind and name; null where none is known. */
export type Holder = (resource: Resource) => string | null;

/** Looks at the runs of this user that are alive. */
export async function heldByLiving(env: Environment | undefined, self: Owner): Promise<Holder> {
  const holders = new Map<string, string>();
  for (const { run, trace, owner } of await listRuns(env, self)) {
    if (owner !== 'alive') continue;
    const resources = foldResources();
    try {
      for await (const lines of (await readTrace(trace)).batches())
        for (const line of lines) if (isEvent(line)) resources.see(line);
    } catch (error) {
      // What comes before the damage counts all the same.
      if (!(error instanceof TraceError)) throw error;
    }
    for (const resource of resources.result()) holders.set(keyOf(resource), run);
  }
  return (resource) => holders.get(keyOf(resource)) ?? null;
}

function keyOf({ kind, name }: Resource): string {
  return `${kind} ${name}`;
}

import type { AnyActorRef, AnyStateMachine, InspectionEvent, Observer } from 'xstate';
import { foldChart, NamesOnly, readMachine } from '../diagrams/index.ts';
import { VERSION } from '../events/index.ts';
import { pictureOf } from './charts.ts';
import type { Notice } from './contract.ts';
import { LineFeed } from './LineFeed.ts';
import { servePage } from './server.ts';

/** A page over an actor system of XState's. */
export interface SystemInspector extends AsyncDisposable {
  /** Pass this as `inspect` to `createActor`: the page then shows that actor and all that it starts. */
  readonly inspect: Observer<InspectionEvent>;
  /** Where the page is: on this machine only, and only for who has this address. */
  readonly url: string;
  /** Ends the page. What was seen until then stays on it. */
  close(): Promise<void>;
}

/** How an actor system is watched. */
export interface InspectSystemOptions {
  /** Port on the loopback interface; any free one by default. */
  readonly port?: number;
  /** What the page calls the system. */
  readonly name?: string;
}

/** The longest payload of an event that is kept, in characters. */
const LONGEST = 20_000;

/**
 * Serves a page over any XState 5 actor system: statecharts with the active states lit, one lane for each actor, every
 * event with its payload.
 * @throws Error where the port cannot be had
 */
export async function inspectSystem({
  port = 0,
  name = 'actors',
}: InspectSystemOptions = {}): Promise<SystemInspector> {
  const feed = new LineFeed();
  const observer = new SystemObserver((line) => feed.add(line));
  const page = await servePage({
    info: { trundle: VERSION, runs: [{ name, path: null }], charts: [], comparison: null, exported: false },
    sources: [feed],
    title: `Trundle: ${name}`,
    port,
  });
  feed.add({ i: 'live' });
  const close = async () => {
    await observer.settled();
    feed.end();
    await page.finish();
  };
  return { inspect: observer, url: page.url, close, [Symbol.asyncDispose]: close };
}

/** Makes lines like those of a trace from what XState tells an inspector. */
class SystemObserver implements Observer<InspectionEvent> {
  readonly #emit: (line: object) => void;
  readonly #start = performance.now();
  readonly #charted = new Map<string, Promise<void>>();
  /** The last state that was told of each actor. */
  readonly #states = new Map<string, string>();
  #seq = 0;

  constructor(emit: (line: object) => void) {
    this.#emit = emit;
  }

  readonly next = (event: InspectionEvent): void => {
    const actor = event.actorRef as unknown as AnyActorRef;
    if (event.type === '@xstate.actor') {
      const machine = machineOf(actor);
      if (machine !== null && !this.#charted.has(machine.id)) this.#charted.set(machine.id, this.#chart(machine));
      this.#happened('actor.started', actor, null, {}, `${nameOf(actor)} starts`);
    } else if (event.type === '@xstate.event') {
      const source = event.sourceRef as unknown as AnyActorRef | undefined;
      const by = source === undefined ? null : nameOf(source);
      const said = `${nameOf(actor)} gets ${event.event.type}${by === null ? '' : ` from ${by}`}`;
      this.#happened(event.event.type, actor, by, { payload: plain(event.event) }, said);
    } else if (event.type === '@xstate.snapshot') this.#moved(actor, event.snapshot as Snapshot);
  };

  /** Resolves once every chart that is due has been told. */
  async settled(): Promise<void> {
    await Promise.all(this.#charted.values());
  }

  #happened(type: string, actor: AnyActorRef, by: string | null, data: object, say: string): void {
    const at = Math.round((performance.now() - this.#start) * 1000) / 1000;
    this.#seq += 1;
    const place = { v: 1, seq: this.#seq, at, run: 'actors', testbed: null, from: by ?? 'outside' };
    this.#emit({ ...place, type, actor: nameOf(actor), ...data, say });
  }

  #moved(actor: AnyActorRef, { value, status, error }: Snapshot): void {
    if (this.#seq === 0) return;
    const state = value === undefined ? status : activeStates(value).join('+');
    if (status === 'error') {
      const problem = error instanceof Error ? error.message : String(error);
      this.#happened('actor.failed', actor, null, { problem }, `${nameOf(actor)} failed: ${problem}`);
    }
    if (this.#states.get(nameOf(actor)) === state) return;
    this.#states.set(nameOf(actor), state);
    const machine = machineOf(actor);
    this.#emit({ d: this.#seq, m: `${machine === null ? 'actor' : kindOf(machine)}:${nameOf(actor)}`, s: state });
  }

  async #chart(machine: AnyStateMachine): Promise<void> {
    try {
      const chart = foldChart(kindOf(machine), readMachine(machine, new NamesOnly()));
      const picture = await pictureOf(chart, `Machine ${machine.id}`, '');
      this.#emit({ i: 'chart', chart: picture } satisfies Notice);
    } catch (error) {
      // The rest of the page does without; that it is missing is told.
      const problem = error instanceof Error ? error.message : String(error);
      this.#emit({ i: 'chartless', kind: kindOf(machine), problem } satisfies Notice);
    }
  }
}

interface Snapshot {
  readonly value?: unknown;
  readonly status: string;
  readonly error?: unknown;
}

function nameOf(actor: AnyActorRef): string {
  return actor.id === actor.sessionId ? actor.sessionId : `${actor.id}(${actor.sessionId})`;
}

/** What the page calls machines of this make; a colon would end the word early. */
function kindOf({ id }: AnyStateMachine): string {
  return id.replaceAll(':', '-');
}

/** The innermost active states, each with those around it: `on.lit`. */
function activeStates(value: unknown, around = ''): string[] {
  if (typeof value === 'string') return [`${around}${value}`];
  const below = Object.entries(value as Record<string, unknown>);
  if (below.length === 0) return [around.slice(0, -1)];
  return below.flatMap(([key, inner]) => activeStates(inner, `${around}${key}.`));
}

/** The machine that an actor runs; null where it runs something else. */
function machineOf(actor: AnyActorRef): AnyStateMachine | null {
  const { logic } = actor as unknown as { logic?: unknown };
  return typeof logic === 'object' && logic !== null && 'root' in logic && 'config' in logic
    ? (logic as AnyStateMachine)
    : null;
}

/** An event as plain data: what JSON cannot hold is named, and what is too long is cut. */
function plain(event: object): unknown {
  const seen = new WeakSet<object>();
  const text = JSON.stringify(event, (_key, value: unknown) => {
    if (typeof value === 'function') return `[function ${value.name}]`;
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    if (typeof value !== 'object' || value === null) return value;
    // An actor holds its whole system.
    if ('sessionId' in value) return `[actor ${String(value.sessionId)}]`;
    if (seen.has(value)) return '[seen above]';
    seen.add(value);
    return value;
  });
  return text.length <= LONGEST ? JSON.parse(text) : `${text.slice(0, LONGEST)}...`;
}

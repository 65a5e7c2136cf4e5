import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { ChartPicture } from '../contract.ts';
import { lastAtMost, type MachineTrack, type RunModel } from '../model/RunModel.ts';
import { chosenMachine, narrowPane, view } from './state.ts';
import { Tabs } from './Tabs.tsx';

/** Machines of a kind before and after the chosen one that can be chosen. */
const NEAR = 50;

/** The machine's chart with its active states lit; by itself that of the machine that moved last. */
export function Charts() {
  const now = view.value;
  now.version.value;
  const { model } = now;
  const cursor = now.cursor.value;
  const zoom = useSignal<'read' | 'fit'>('read');
  const all = useSignal(false);
  const chosen = chosenMachine.value === null ? null : (model.machines.get(chosenMachine.value) ?? null);
  const track = chosenMachine.value?.endsWith(':') ? null : (chosen ?? lastMoved(model, cursor));
  const kinds = [...model.charts.values()];
  if (kinds.length === 0) return <p class="nothing">No machine has moved yet.</p>;
  // A machine that this run never had is named by its kind alone.
  const bare = chosenMachine.value?.endsWith(':') ? chosenMachine.value.slice(0, -1) : null;
  const kind = bare ?? track?.kind ?? kinds[0]?.kind ?? '';
  const instances = [...model.machines.values()].filter((each) => each.kind === kind);
  const chart = model.charts.get(kind);
  // A run may have thousands of commands: those around the chosen one are enough to choose from.
  const middle = track === null ? 0 : instances.indexOf(track);
  const near = instances.slice(Math.max(0, middle - NEAR), middle + NEAR);
  return (
    <>
      <div class="chart-bar">
        <Tabs
          label="Machines"
          tabs={[{ id: '', name: 'All' }, ...kinds.map((each) => ({ id: each.kind, name: each.kind }))]}
          chosen={all.value ? '' : kind}
          choose={(id) => {
            all.value = id === '';
            const one = lastOfKind(model, id, cursor) ?? firstOfKind(model, id);
            if (id !== '') chosenMachine.value = one?.id ?? `${id}:`;
          }}
        />
        <span class="grow" />
        {all.value ? null : (
          <>
            {instances.length > 1 ? (
              <label>
                <select
                  aria-label="Which machine"
                  value={track?.id}
                  onChange={(event) => {
                    chosenMachine.value = event.currentTarget.value;
                  }}
                >
                  {near.map(({ id, subject }) => (
                    <option key={id} value={id}>
                      {subject}
                    </option>
                  ))}
                </select>
              </label>
            ) : null}
            <label>
              <input
                type="checkbox"
                checked={chosenMachine.value === null}
                onChange={(event) => {
                  chosenMachine.value = event.currentTarget.checked ? null : (track?.id ?? null);
                }}
              />{' '}
              follow
            </label>
            <button
              type="button"
              onClick={() => {
                zoom.value = zoom.value === 'fit' ? 'read' : 'fit';
              }}
            >
              {zoom.value === 'fit' ? 'Full size' : 'Fit'}
            </button>
          </>
        )}
      </div>
      {all.value ? (
        <div class="chart-grid" tabIndex={0} role="region" aria-label="All machines">
          {kinds.map((each) => {
            const one = lastOfKind(model, each.kind, cursor);
            return (
              <button
                key={each.kind}
                type="button"
                class="card"
                onClick={() => {
                  all.value = false;
                  chosenMachine.value = one?.id ?? firstOfKind(model, each.kind)?.id ?? null;
                }}
              >
                <span class="card-title">
                  {one?.id ?? each.kind}: <strong>{stateAt(one, cursor) ?? 'not begun'}</strong>
                </span>
                <Picture chart={each} track={one} cursor={cursor} zoom="fit" />
              </button>
            );
          })}
        </div>
      ) : chart === undefined ? (
        <p class="nothing">There is no chart of {kind}.</p>
      ) : (
        <>
          <p class="chart-state" aria-live="polite">
            <code>{track?.id ?? kind}</code> <strong>{stateAt(track, cursor) ?? 'has not begun'}</strong>{' '}
            <span class="quiet">{chart.about}</span>
          </p>
          <Picture chart={chart} track={track} cursor={cursor} zoom={zoom.value} />
        </>
      )}
    </>
  );
}

function stateAt(track: MachineTrack | null, seq: number): string | null {
  return track?.steps[lastAtMost(track.steps, seq)]?.state ?? null;
}

function Picture(props: { chart: ChartPicture; track: MachineTrack | null; cursor: number; zoom: 'read' | 'fit' }) {
  const { chart, track, cursor, zoom } = props;
  const box = useRef<HTMLDivElement>(null);
  const at = track === null ? -1 : lastAtMost(track.steps, cursor);
  const state = track?.steps[at]?.state ?? null;
  const before = track?.steps[at - 1]?.state ?? null;
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    for (const old of element.querySelectorAll('.lit, .was, .taken')) old.classList.remove('lit', 'was', 'taken');
    for (const path of state?.split('+') ?? []) {
      const parts = path.split('.');
      for (let depth = 1; depth <= parts.length; depth++)
        light(element, 'state', parts.slice(0, depth).join('.'), 'lit');
    }
    if (before !== null && state !== null && before !== state) {
      light(element, 'state', before, 'was');
      for (const from of pathsOf(before))
        for (const to of pathsOf(state)) light(element, 'edge', `${from}>${to}`, 'taken');
    }
  }, [chart, state, before]);
  useEffect(() => {
    const element = box.current;
    const place = chart.boxes.find(({ id }) => id === state?.split('+')[0]);
    if (element === null || place === undefined || zoom === 'fit') return;
    element.scrollTo({
      left: place.x + place.width / 2 - element.clientWidth / 2,
      top: place.y + place.height / 2 - element.clientHeight / 2,
    });
  }, [chart, state, zoom, narrowPane.value]);
  const label = `${chart.title}: ${state ?? 'not begun'}`;
  return (
    <div
      ref={box}
      class={`chart-box ${zoom}`}
      {...(zoom === 'read' ? { tabIndex: 0, role: 'region', 'aria-label': 'Chart' } : {})}
    >
      <svg
        class="chart"
        role="img"
        aria-label={label}
        viewBox={`-6 -6 ${chart.width + 12} ${chart.height + 12}`}
        {...(zoom === 'read' ? { width: chart.width + 12, height: chart.height + 12 } : {})}
        dangerouslySetInnerHTML={{ __html: chart.svg }}
      />
    </div>
  );
}

function light(within: HTMLElement, what: 'state' | 'edge', id: string, as: string): void {
  within.querySelector(`[data-${what}="${CSS.escape(id)}"]`)?.classList.add(as);
}

/** A state and those around it. */
function pathsOf(state: string): string[] {
  const parts = state.split('.');
  return parts.map((_, index) => parts.slice(0, index + 1).join('.'));
}

function lastMoved(model: RunModel, seq: number): MachineTrack | null {
  for (let at = seq; at > 0; at--) {
    const id = model.movers.get(at)?.[0];
    if (id !== undefined) return model.machines.get(id) ?? null;
  }
  return null;
}

function lastOfKind(model: RunModel, kind: string, seq: number): MachineTrack | null {
  let [best, latest] = [null as MachineTrack | null, 0];
  for (const track of model.machines.values()) {
    if (track.kind !== kind) continue;
    const step = track.steps[lastAtMost(track.steps, seq)];
    if (step !== undefined && step.seq >= latest) [best, latest] = [track, step.seq];
  }
  return best;
}

function firstOfKind(model: RunModel, kind: string): MachineTrack | null {
  for (const track of model.machines.values()) if (track.kind === kind) return track;
  return null;
}

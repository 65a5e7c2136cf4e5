import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type Lane, lanesOf } from '../model/lanes.ts';
import { lastAtMost, type RunModel } from '../model/RunModel.ts';
import { drawLanes, LANE, type Scale } from './drawLanes.ts';
import { time } from './format.ts';
import { chosenMachine, narrowPane, open, scheme, view } from './state.ts';

/** One lane for each machine and stream, over the run's time or its events. */
export function Timeline() {
  const now = view.value;
  const version = now.version.value;
  const { model } = now;
  const cursor = now.cursor.value;
  const by = useSignal<'time' | 'events'>('time');
  /** The part in sight, from 0 to 1. */
  const part = useSignal({ from: 0, to: 1 });
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const lanes = useRef<{ version: number; model: RunModel; lanes: Lane[] }>({ version: -1, model, lanes: [] });
  if (lanes.current.version !== version || lanes.current.model !== model)
    lanes.current = { version, model, lanes: lanesOf(model) };
  const all = lanes.current.lanes;
  const narrow = () => (box.current?.clientWidth ?? 0) < 600;
  const labels = () => (narrow() ? 104 : 190);
  const scale = (): Scale => {
    const end = by.value === 'time' ? Math.max(1, model.event(model.last)?.at ?? 1) : Math.max(1, model.last);
    const left = labels();
    const width = (box.current?.clientWidth ?? 800) - left - 14;
    const { from, to } = part.value;
    const start = from * end;
    const perPixel = ((to - from) * end) / Math.max(1, width);
    return {
      left,
      width,
      xOf: (seq) => {
        const value = by.value === 'time' ? (model.event(seq)?.at ?? 0) : seq;
        return left + (value - start) / perPixel;
      },
      valueAt: (x) => start + (x - left) * perPixel,
    };
  };
  const draw = () => {
    const [element, place] = [canvas.current, box.current];
    if (element === null || place === null) return;
    drawLanes(element, place, {
      model,
      lanes: all,
      cursor,
      scale: scale(),
      byTime: by.value === 'time',
      chosen: chosenMachine.value,
    });
  };
  useEffect(() => {
    const watcher = new ResizeObserver(() => draw());
    if (box.current !== null) watcher.observe(box.current);
    return () => watcher.disconnect();
  });
  useEffect(draw, [version, cursor, by.value, part.value, scheme.value, model, chosenMachine.value, narrowPane.value]);
  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => dark.removeEventListener('change', draw);
  });
  const seqAt = (x: number): number => {
    const value = scale().valueAt(x);
    if (by.value === 'events') return Math.round(value);
    const events = model.events;
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((events[middle]?.at ?? 0) <= value) low = middle + 1;
      else high = middle;
    }
    return Math.max(1, low);
  };
  const pointed = (event: PointerEvent) => {
    const element = canvas.current;
    const place = box.current;
    if (element === null || place === null || model.last === 0) return;
    const bounds = element.getBoundingClientRect();
    const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
    if (x < labels() && event.type === 'pointerdown') {
      const lane = all[Math.floor((y + place.scrollTop - LANE.head) / LANE.height)];
      if (lane?.kind === 'machine') chosenMachine.value = lane.id;
      else if (lane !== undefined) open('output');
      return;
    }
    if (event.type === 'pointerdown') element.setPointerCapture(event.pointerId);
    now.go(seqAt(x));
  };
  const zoom = (factor: number, at = 0.5) => {
    const { from, to } = part.value;
    const width = Math.min(1, Math.max(1e-6, (to - from) * factor));
    const middle = from + (to - from) * at;
    const start = Math.max(0, Math.min(1 - width, middle - width * at));
    part.value = { from: start, to: start + width };
  };
  const wheel = (event: WheelEvent) => {
    const { left, width } = scale();
    const bounds = canvas.current?.getBoundingClientRect();
    if (event.ctrlKey) {
      event.preventDefault();
      zoom(
        event.deltaY > 0 ? 1.25 : 0.8,
        Math.max(0, Math.min(1, (event.clientX - (bounds?.left ?? 0) - left) / width)),
      );
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const { from, to } = part.value;
      const by = ((event.deltaX || event.deltaY) / Math.max(1, width)) * (to - from);
      const start = Math.max(0, Math.min(1 - (to - from), from + by));
      part.value = { from: start, to: start + (to - from) };
    }
  };
  const event = model.event(cursor);
  const label = `${all.length} lanes, of machines and streams. ${event === null ? '' : `At ${time(event.at)}: ${summary(model, all, cursor)}`}`;
  return (
    <>
      <div class="timeline-bar">
        <span class="heading">Timeline</span>
        <span class="quiet">
          {all.length} {all.length === 1 ? 'lane' : 'lanes'}
        </span>
        <span class="grow" />
        <label>
          <span class="quiet">by </span>
          <select
            aria-label="Lanes by"
            value={by.value}
            onChange={(change) => {
              by.value = change.currentTarget.value as 'time';
              part.value = { from: 0, to: 1 };
            }}
          >
            <option value="time">time</option>
            <option value="events">events</option>
          </select>
        </label>
        <button type="button" aria-label="Zoom in" onClick={() => zoom(0.5, middleOf(scale(), cursor))}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(2, middleOf(scale(), cursor))}>
          −
        </button>
        <button
          type="button"
          onClick={() => {
            part.value = { from: 0, to: 1 };
          }}
        >
          All
        </button>
      </div>
      <div ref={box} class="lanes" onScroll={draw} tabIndex={0} role="region" aria-label="Lanes">
        <canvas
          ref={canvas}
          role="img"
          aria-label={label}
          onPointerDown={pointed}
          onPointerMove={(move) => {
            if (move.buttons === 1 && canvas.current?.hasPointerCapture(move.pointerId)) pointed(move);
          }}
          onWheel={wheel}
        />
        <div class="lanes-height" style={{ height: `${all.length * LANE.height + LANE.head + 4}px` }} />
      </div>
    </>
  );
}

function middleOf({ xOf, left, width }: Scale, cursor: number): number {
  const at = (xOf(cursor) - left) / width;
  return at >= 0 && at <= 1 ? at : 0.5;
}

/** What a person who does not see the lanes is told of them. */
function summary(model: RunModel, lanes: readonly Lane[], cursor: number): string {
  return (
    lanes
      .flatMap((lane) => {
        if (lane.kind !== 'machine' || (lane.track.ended !== null && lane.track.ended <= cursor)) return [];
        const step = lane.track.steps[lastAtMost(lane.track.steps, cursor)];
        return step === undefined ? [] : [`${lane.label} ${step.state}`];
      })
      .slice(0, 8)
      .join(', ') || `${model.last} events`
  );
}

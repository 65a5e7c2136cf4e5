import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { time } from './format.ts';
import { filter, filterTook, narrowPane, open, sentence, shown, view } from './state.ts';

/** Rows drawn beyond what is seen. */
const BEYOND = 8;
const number = new Intl.NumberFormat('en');

/** All events, or those that the filter lets through: only the rows in sight are there. */
export function EventList() {
  const now = view.value;
  now.version.value;
  const { model } = now;
  const cursor = now.cursor.value;
  const found = shown.value;
  const count = found === null ? model.last : found.length;
  const box = useRef<HTMLDivElement>(null);
  const scroll = useSignal({ top: 0, height: 600, row: 26 });
  const measure = () => {
    const element = box.current;
    if (element === null) return;
    const row = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 26;
    const { scrollTop: top, clientHeight: height } = element;
    const before = scroll.peek();
    if (before.top !== top || before.height !== height || before.row !== row) scroll.value = { top, height, row };
  };
  useEffect(() => {
    measure();
    const watcher = new ResizeObserver(measure);
    if (box.current !== null) watcher.observe(box.current);
    return () => watcher.disconnect();
  }, []);
  const { top, height, row } = scroll.value;
  const index = found === null ? cursor - 1 : indexIn(found, cursor);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || index < 0) return;
    const place = index * row;
    if (place < element.scrollTop || place + row > element.scrollTop + element.clientHeight)
      element.scrollTop = Math.max(0, place - element.clientHeight / 2);
    measure();
  }, [cursor, index, row, narrowPane.value]);
  // Made while nobody waits, so that the first word in the filter is answered at once.
  useEffect(() => {
    let timer = 0;
    const prepare = () => {
      if (!now.finder.prepare(4096)) timer = window.setTimeout(prepare, 5);
    };
    timer = window.setTimeout(prepare, 200);
    return () => clearTimeout(timer);
  }, [now, model.complete]);
  const first = Math.max(0, Math.floor(top / row) - BEYOND);
  const last = Math.min(count, Math.ceil((top + height) / row) + BEYOND);
  const evidence = new Set(model.cause?.evidence ?? []);
  const failures = new Set(model.failures);
  const rows = [];
  for (let at = first; at < last; at++) {
    const seq = found === null ? at + 1 : (found[at] ?? 0);
    const event = model.event(seq);
    if (event === null) continue;
    const failed = failures.has(seq);
    rows.push(
      <div
        key={seq}
        id={`event-${seq}`}
        role="option"
        aria-selected={seq === cursor}
        aria-posinset={at + 1}
        aria-setsize={count}
        class={`event${failed ? ' failed' : ''}${evidence.has(seq) ? ' evidence' : ''}${seq > cursor ? ' later' : ''}`}
        style={{ transform: `translateY(${at * row}px)` }}
        onClick={() => now.go(seq)}
        onDblClick={() => open('event')}
      >
        <span class="seq">{seq}</span>
        <span class="at">{time(event.at)}</span>
        <span class="type">{event.type}</span>
        <span class="text">{sentence(event)}</span>
      </div>,
    );
  }
  return (
    <>
      <div class="filter">
        <label for="filter">Filter</label>
        <input
          id="filter"
          type="search"
          placeholder="words, type:…, machine:…, is:failure   ( / )"
          value={filter.value}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
        />
        <output title={found === null ? '' : `found in ${filterTook.peek().toFixed(0)} ms`}>
          {found === null ? number.format(count) : `${number.format(count)} of ${number.format(model.last)}`}
        </output>
      </div>
      <div
        ref={box}
        class="events"
        role="listbox"
        aria-label="Events"
        tabIndex={0}
        {...(index >= 0 ? { 'aria-activedescendant': `event-${cursor}` } : {})}
        onScroll={measure}
      >
        <div class="all" role="presentation" style={{ height: `${count * row}px` }}>
          {rows}
        </div>
        {count === 0 && model.last > 0 ? (
          <p class="nothing" role="presentation">
            No event is like that.
          </p>
        ) : null}
      </div>
    </>
  );
}

function indexIn(seqs: Uint32Array, seq: number): number {
  let [low, high] = [0, seqs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((seqs[middle] ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return seqs[low] === seq ? low : -1;
}

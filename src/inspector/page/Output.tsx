import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { lastAtMost, type RunModel } from '../model/RunModel.ts';
import { size } from './format.ts';
import { current, supply, type View, view } from './state.ts';

/** Bytes that are shown around the cursor; more would only be scrolled past. */
const BEFORE = 64 * 1024;
const AFTER = 16 * 1024;
/** Console lines that are shown before and after the cursor. */
const LINES = { before: 500, after: 100 };

/** What the console and a command printed, up to the cursor and beyond it. */
export function Output() {
  const now = view.value;
  now.version.value;
  const { model } = now;
  const cursor = now.cursor.value;
  const chosen = useSignal<string | null>(null);
  const names = [...model.streams.keys()];
  if (names.length === 0) return <p class="nothing">Nothing was printed.</p>;
  const sources = [...new Set(names.map(commandOf))];
  const source =
    chosen.value !== null && sources.includes(chosen.value) ? chosen.value : spoken(model, cursor, sources);
  return (
    <div class="output">
      <p class="output-bar">
        <label>
          Output of{' '}
          <select
            value={source}
            onChange={(event) => {
              chosen.value = event.currentTarget.value;
            }}
          >
            {sources.map((name) => (
              <option key={name} value={name}>
                {name === 'console' ? 'the console' : name}
              </option>
            ))}
          </select>
        </label>{' '}
        <label>
          <input
            type="checkbox"
            checked={chosen.value === null}
            onChange={(event) => {
              chosen.value = event.currentTarget.checked ? null : source;
            }}
          />{' '}
          follow
        </label>{' '}
        <span class="quiet">{lineOf(model, source)}</span>
      </p>
      {source === 'console' ? <Console view={now} /> : <Printed view={now} command={source} />}
    </div>
  );
}

function commandOf(stream: string): string {
  return stream === 'console' ? stream : stream.replace(/\.(?:stdout|stderr)$/, '');
}

/** Who printed last before the cursor, or first of all. */
function spoken(model: RunModel, cursor: number, sources: readonly string[]): string {
  const event = model.event(cursor);
  if (event !== null && 'command' in event && sources.includes(String(event.command))) return String(event.command);
  let [best, latest] = [sources[0] ?? '', 0];
  for (const { name, chunks } of model.streams.values()) {
    const seq = chunks[lastAtMost(chunks, cursor)]?.seq ?? 0;
    if (seq > latest) [best, latest] = [commandOf(name), seq];
  }
  return best;
}

function lineOf(model: RunModel, command: string): string {
  const request = model.events.find((event) => event.type === 'command.requested' && event.command === command);
  return request?.type === 'command.requested' ? (request.line.split('\n', 1)[0]?.slice(0, 200) ?? '') : '';
}

function Console({ view: now }: { view: View }) {
  now.version.value;
  const chunks = now.model.streams.get('console')?.chunks ?? [];
  const at = lastAtMost(chunks, now.cursor.value);
  const from = Math.max(0, at - LINES.before);
  return (
    <Text follow={at}>
      {chunks.slice(from, at + LINES.after).map(({ seq }, index) => {
        const event = now.model.event(seq);
        const line = event?.type === 'console.printed' ? event.line : '';
        const place = from + index;
        return <span class={place === at ? 'now' : place > at ? 'later' : ''}>{`${line}\n`}</span>;
      })}
    </Text>
  );
}

interface Span {
  readonly seq: number;
  readonly stream: 'stdout' | 'stderr';
  readonly offset: number;
  readonly bytes: number;
}

function Printed({ view: now, command }: { view: View; command: string }) {
  now.version.value;
  const { model } = now;
  const cursor = now.cursor.value;
  const spans = spansOf(model, command);
  const at = lastAtMost(spans, cursor);
  const { from, to } = windowOf(spans, at);
  const seen = spans.slice(from, to);
  const bytes = useSignal<{ of: string; key: string; text: ReadonlyMap<number, string> } | null>(null);
  const key = `${current.value} ${command} ${from} ${to} ${spans.length}`;
  useEffect(() => {
    let stale = false;
    void load(now, command, seen).then((text) => {
      if (!stale) bytes.value = { of: `${current.value} ${command}`, key, text };
    });
    return () => {
      stale = true;
    };
  }, [key]);
  const total = (stream: string) => spans.reduce((sum, span) => sum + (span.stream === stream ? span.bytes : 0), 0);
  // What is there already stays while more is got, as while a run goes.
  const loaded = bytes.value?.of === `${current.value} ${command}` ? bytes.value.text : null;
  const ofSpan = (span: Span) => loaded?.get(span.seq) ?? (bytes.value?.key === key ? '' : '…');
  return (
    <>
      <p class="quiet">
        stdout {size(total('stdout'))}, stderr {size(total('stderr'))}
        {from > 0 || to < spans.length ? '; the part around the position is shown' : ''}
      </p>
      <Text follow={at}>
        {seen.map((span) => (
          <span
            key={span.seq}
            class={`${span.stream}${span.seq === spans[at]?.seq ? ' now' : ''}${span.seq > cursor ? ' later' : ''}`}
            title={`${span.stream}, event ${span.seq}`}
            onClick={() => now.go(span.seq)}
          >
            {ofSpan(span)}
          </span>
        ))}
      </Text>
    </>
  );
}

function spansOf(model: RunModel, command: string): Span[] {
  const of = (stream: 'stdout' | 'stderr') =>
    (model.streams.get(`${command}.${stream}`)?.chunks ?? []).map((chunk) => ({ ...chunk, stream }));
  return [...of('stdout'), ...of('stderr')].sort((a, b) => a.seq - b.seq);
}

function windowOf(spans: readonly Span[], at: number): { from: number; to: number } {
  let [from, to] = [Math.max(0, at), Math.max(0, at)];
  for (let room = BEFORE; from > 0 && room > 0; from--) room -= spans[from - 1]?.bytes ?? 0;
  for (let room = AFTER; to < spans.length && room > 0; to++) room -= spans[to]?.bytes ?? 0;
  return { from, to };
}

async function load(now: View, command: string, spans: readonly Span[]): Promise<ReadonlyMap<number, string>> {
  const texts = new Map<number, string>();
  for (const stream of ['stdout', 'stderr'] as const) {
    const wanted = spans.filter((span) => span.stream === stream);
    const [first, last] = [wanted[0], wanted.at(-1)];
    if (first === undefined || last === undefined) continue;
    const pieces =
      (await supply.value?.bytes(now.index, `${command}.${stream}`, first.offset, last.offset + last.bytes)) ?? [];
    const decoder = new TextDecoder();
    for (const { seq, offset, bytes } of wanted) {
      const piece = pieces.find((each) => each.offset <= offset && offset < each.offset + each.bytes.length);
      const start = piece === undefined ? 0 : offset - piece.offset;
      const text =
        piece === undefined
          ? `[${size(bytes)} are not in this page]\n`
          : decoder.decode(piece.bytes.subarray(start, start + bytes), { stream: true });
      texts.set(seq, text);
    }
  }
  return texts;
}

/** Text that keeps the place of the cursor in sight. */
function Text({ children, follow }: { children: preact.ComponentChildren; follow: number }) {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const element = box.current;
    const now = element?.querySelector<HTMLElement>('.now');
    if (element && now) element.scrollTop = now.offsetTop + now.offsetHeight - element.clientHeight * 0.7;
  });
  return (
    <pre ref={box} class="printed" data-at={follow} tabIndex={0} aria-label="Output">
      {children}
    </pre>
  );
}

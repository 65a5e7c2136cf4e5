import type { Command } from '../../events/index.ts';
import { lastAtMost } from '../model/RunModel.ts';
import { time } from './format.ts';
import { chosenMachine, open, sentence, view } from './state.ts';

/** The event at the cursor: in words, what machines made of it, and its whole payload. */
export function EventDetails() {
  const now = view.value;
  now.version.value;
  const { model } = now;
  const seq = now.cursor.value;
  const event = model.event(seq);
  if (event === null) return <p class="nothing">No event yet.</p>;
  const {
    v: _v,
    run: _run,
    seq: _seq,
    at: _at,
    type,
    from,
    testbed,
    ...data
  } = event as typeof event & Record<string, unknown>;
  const before = model.event(seq - 1);
  const command = 'command' in event ? String(event.command) : null;
  return (
    <article class="details">
      <h2>{sentence(event)}</h2>
      <p class="where">
        <code>{type}</code> · event {seq} · {time(event.at)}
        {before === null ? '' : ` (+${time(event.at - before.at)})`} · seen by {from}
        {testbed === null ? '' : ` · ${testbed}`}
      </p>
      {model.cause?.evidence.includes(seq) ? <p class="mark">This event proves the cause.</p> : null}
      {command !== null && (model.streams.has(`${command}.stdout`) || model.streams.has(`${command}.stderr`)) ? (
        <p>
          <button type="button" class="link" onClick={() => open('output')}>
            What {command} printed
          </button>
        </p>
      ) : null}
      <h3>What machines made of it</h3>
      <Decisions seq={seq} />
      <h3>Payload</h3>
      <table class="fields">
        <tbody>
          {Object.entries(data).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Value value={value} go={(to) => now.go(to)} evidence={name === 'event' || name === 'evidence'} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <details>
        <summary>As it stands in the trace</summary>
        <pre>{JSON.stringify(JSON.parse(model.raws[seq - 1] ?? 'null'), null, 2)}</pre>
      </details>
    </article>
  );
}

function Decisions({ seq }: { seq: number }) {
  const now = view.value;
  now.version.value;
  const { model } = now;
  const movers = [...new Set(model.movers.get(seq) ?? [])];
  if (movers.length === 0) return <p class="nothing">Nothing.</p>;
  return (
    <ul class="decisions">
      {movers.map((id) => {
        const track = model.machines.get(id);
        if (track === undefined) return null;
        const at = lastAtMost(track.steps, seq);
        const step = track.steps[at];
        const from = track.steps[at - 1]?.state;
        return (
          <li key={id}>
            <button
              type="button"
              class="link"
              onClick={() => {
                chosenMachine.value = id;
                open('charts');
              }}
            >
              {id}
            </button>{' '}
            {from === undefined ? 'begins: ' : from === step?.state ? 'stays ' : `${from} → `}
            <strong>{step?.state}</strong>
            {(step?.commands.length ?? 0) > 0 ? (
              <ul class="commands">
                {step?.commands.map((command, index) => (
                  <li key={index}>{inWords(command)}</li>
                ))}
              </ul>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

function inWords(command: Command): string {
  const { type, ...rest } = command as Command & Record<string, unknown>;
  if (command.type === 'arm') return `arm deadline ${command.deadline}, ${command.ms} ms`;
  if (command.type === 'disarm') return `disarm deadline ${command.deadline}`;
  return `${type} ${Object.entries(rest)
    .filter(([name]) => name !== 'testbed')
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')}`;
}

function Value({ value, go, evidence }: { value: unknown; go: (seq: number) => void; evidence: boolean }) {
  if (evidence && typeof value === 'number')
    return (
      <button type="button" class="link" onClick={() => go(value)}>
        event {value}
      </button>
    );
  if (typeof value === 'string') return <pre>{value}</pre>;
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0)
    return (
      <table class="fields">
        <tbody>
          {Object.entries(value).map(([name, inner]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Value value={inner} go={go} evidence={name === 'evidence'} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  if (Array.isArray(value) && value.length > 0)
    return (
      <ul class="plain">
        {value.map((inner, index) => (
          <li key={index}>
            <Value value={inner} go={go} evidence={evidence} />
          </li>
        ))}
      </ul>
    );
  return <code>{JSON.stringify(value)}</code>;
}

import { useEffect, useState } from 'preact/hooks';
import { CAUSES, shellLine } from '../../trace/pure.ts';
import { waitingAt } from '../model/waiting.ts';
import { span, time } from './format.ts';
import { current, helpShown, open, scheme, sentence, supply, type View, view } from './state.ts';

/** What the run was, how it ended and why, and where its reader is. */
export function Header() {
  const now = view.value;
  now.version.value;
  const { model } = now;
  const runs = supply.value?.info.runs ?? [];
  const what = model.start === null ? (runs[now.index]?.name ?? '') : shellLine(model.start.sources) || 'a session';
  const where = model.start === null ? '' : ` on ${model.start.backend[0] ?? ''}`;
  return (
    <header class="top">
      <div class="title-row">
        <h1 title={runs[now.index]?.path ?? ''}>
          <span class="brand">Trundle</span> {what}
          {where}
        </h1>
        <Verdict view={now} />
        {runs.length > 1 ? (
          <label>
            Run{' '}
            <select
              aria-label="Run shown"
              value={String(current.value)}
              onChange={(event) => {
                current.value = Number(event.currentTarget.value);
              }}
            >
              {runs.map(({ name }, index) => (
                <option key={name} value={String(index)}>
                  {index === 0 ? 'good: ' : 'bad: '}
                  {name}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <span class="grow" />
        <label class="quiet">
          Colours{' '}
          <select
            aria-label="Colours"
            value={scheme.value}
            onChange={(event) => {
              scheme.value = event.currentTarget.value as 'auto';
            }}
          >
            <option value="auto">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <button
          type="button"
          onClick={() => {
            helpShown.value = true;
          }}
        >
          Help <kbd>?</kbd>
        </button>
      </div>
      <Cause view={now} />
      <Waits view={now} />
      <Scrubber view={now} />
    </header>
  );
}

function Verdict({ view: now }: { view: View }) {
  now.version.value;
  const { model } = now;
  if (model.conclusion !== null) {
    const { exitCode } = model.conclusion;
    return <span class={`badge ${exitCode === 0 ? 'good' : 'bad'}`}>exit code {exitCode}</span>;
  }
  if (model.live) return <span class="badge live">running</span>;
  if (model.complete && model.header !== null && model.charts.has('run'))
    return <span class="badge bad">no end: still running elsewhere, or killed</span>;
  return null;
}

function Cause({ view: now }: { view: View }) {
  now.version.value;
  const { model } = now;
  const trouble = now.trouble.value ?? model.problem;
  const { cause } = model;
  if (cause === null && trouble === null) return null;
  return (
    <section class="cause" aria-label="Cause">
      {trouble === null ? null : <p class="trouble">{trouble}</p>}
      {cause === null ? null : (
        <>
          <p>
            <strong>{cause.class}</strong> {CAUSES[cause.class]?.meaning}{' '}
            <span class="while">
              While {cause.doing}
              {cause.detail ? `: ${cause.detail}` : ''}.
            </span>
          </p>
          {cause.evidence.length === 0 ? null : (
            <ul class="proofs" aria-label="What proves it">
              {cause.evidence.slice(0, 6).map((seq) => {
                const event = model.event(seq);
                return event === null ? null : (
                  <li key={seq}>
                    <button
                      type="button"
                      class="link"
                      onClick={() => {
                        now.go(seq);
                        open('event');
                      }}
                    >
                      {time(event.at)} {sentence(event)} <span class="seq">event {seq}</span>
                    </button>
                  </li>
                );
              })}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

/** Of a run that goes, or was cut off: what it waits for, and which deadline ends that. */
function Waits({ view: now }: { view: View }) {
  now.version.value;
  const { model } = now;
  const [, tick] = useState(0);
  useEffect(() => {
    if (!model.live) return;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [model.live]);
  if (model.conclusion !== null || model.last === 0 || !(model.live || model.complete)) return null;
  const at = (model.event(model.last)?.at ?? 0) + (model.live ? performance.now() - now.lastLine : 0);
  const [next, ...others] = waitingAt(model, model.last);
  if (!model.charts.has('run')) return null;
  return (
    <p class="waits">
      {model.live ? 'Now' : 'Last'} {model.doing}.{' '}
      {next === undefined ? (
        'No deadline runs.'
      ) : (
        <>
          <button type="button" class="link" onClick={() => now.go(model.last)}>
            {next.machine}
          </button>{' '}
          is {next.state}; deadline <strong>{next.deadline}</strong>
          {model.live ? ` passes in ${span(next.at - at)}` : ` would have passed at ${time(next.at)}`}
          {next.follows === '' ? '' : `: ${next.follows}`}
          {others.length === 0 ? '.' : `. ${others.length} more: ${others.map(({ deadline }) => deadline).join(', ')}.`}
        </>
      )}
    </p>
  );
}

function Scrubber({ view: now }: { view: View }) {
  now.version.value;
  const { model } = now;
  const cursor = now.cursor.value;
  const event = model.event(cursor);
  const text = event === null ? 'before the first event' : `event ${cursor} of ${model.last}, ${time(event.at)}`;
  return (
    <div class="scrub">
      <div class="buttons">
        <button type="button" title="Previous failure (Shift f)" onClick={() => now.failure(-1)}>
          ⇤ failure
        </button>
        <button type="button" title="Previous event (←)" aria-label="Previous event" onClick={() => now.step(-1)}>
          ←
        </button>
        <button type="button" title="Next event (→)" aria-label="Next event" onClick={() => now.step(1)}>
          →
        </button>
        <button type="button" title="Next failure (f)" onClick={() => now.failure(1)}>
          failure ⇥
        </button>
        <button
          type="button"
          title="To the cause (c)"
          disabled={model.cause === null && model.failures.length === 0}
          onClick={() => {
            now.toCause();
            open('event');
          }}
        >
          Cause
        </button>
        {model.live ? (
          <button
            type="button"
            aria-pressed={now.follow.value}
            onClick={() => {
              now.follow.value = !now.follow.value;
              if (now.follow.value) now.cursor.value = model.last;
            }}
          >
            {now.follow.value ? 'Pause' : 'Follow'}
          </button>
        ) : null}
      </div>
      <input
        type="range"
        min={Math.min(1, model.last)}
        max={model.last}
        value={cursor}
        aria-label="Position in the run"
        aria-valuetext={text}
        onInput={(change) => now.go(Number(change.currentTarget.value))}
      />
      <span class="position">{text}</span>
    </div>
  );
}

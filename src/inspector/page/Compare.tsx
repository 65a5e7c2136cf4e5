import type { Parting, ValueDifference } from '../../trace/pure.ts';
import { current, supply, views } from './state.ts';

/** Two traces beside each other: where they part first, and what differs. */
export function Compare() {
  const comparison = supply.value?.info.comparison ?? null;
  if (comparison === null) return <p class="nothing">There is nothing to compare.</p>;
  const { good, bad, parted, partings, tests, timing, environment, packages } = comparison;
  const notable = timing.filter((span) => span.notable);
  const others = partings.filter((parting) => parting !== parted && JSON.stringify(parting) !== JSON.stringify(parted));
  return (
    <>
      <h2>Where they parted first</h2>
      {parted === null ? <p>Both went the same way to the end.</p> : <PartingOf parting={parted} />}
      <Section title="Ends" head={['', 'good', 'bad']}>
        {[
          ['exit code', String(good.exitCode ?? 'none'), String(bad.exitCode ?? 'none')],
          ['cause', good.cause?.class ?? 'none', bad.cause?.class ?? 'none'],
          ['events', String(good.events), String(bad.events)],
        ]}
      </Section>
      <Section title="Tests" head={['', 'good', 'bad']}>
        {tests.map(({ test, good: a, bad: b }) => [test, verdict(a), verdict(b)])}
      </Section>
      <Section title="Took notably longer or shorter" head={['', 'good', 'bad']}>
        {notable.map(({ span, good: a, bad: b }) => [span, took(a), took(b)])}
      </Section>
      <Section title="Environment" head={['', 'good', 'bad']}>
        {environment.map(row)}
      </Section>
      <Section title="Packages" head={['', 'good', 'bad']}>
        {(packages ?? []).map(row)}
      </Section>
      {(['good', 'bad'] as const).map((side) =>
        comparison.console[side].only.length === 0 ? null : (
          <section key={side}>
            <h3>Only on the console of the {side} one</h3>
            <pre>{comparison.console[side].only.map(({ line }) => line).join('\n')}</pre>
          </section>
        ),
      )}
      {others.length === 0 ? null : <h2>Where else they differ</h2>}
      {others.slice(0, 100).map((parting) => (
        <PartingOf key={parting.lane} parting={parting} />
      ))}
    </>
  );
}

function PartingOf({ parting }: { parting: Parting }) {
  const { of, last, good, bad, rejoined } = parting;
  return (
    <div class="parting">
      <p>
        <strong>{of}</strong>
        {last === null ? ' went another way from the first' : `: both had come to "${last.bad.text}"`}
        {rejoined ? ', and came to the same end again' : ''}.
      </p>
      <div class="sides">
        {([good, bad] as const).map((steps, run) => (
          <div key={run === 0 ? 'good' : 'bad'}>
            <h3>{run === 0 ? 'Then the good one' : 'Then the bad one'}</h3>
            {steps.length === 0 ? <p class="soft">did nothing that the other did not</p> : null}
            <ol class="plain">
              {steps.slice(0, 12).map(({ seq, text }) => (
                <li key={seq}>
                  <button type="button" class="link" onClick={() => go(run, seq)}>
                    {text}
                  </button>{' '}
                  <span class="soft">event {seq}</span>
                </li>
              ))}
            </ol>
          </div>
        ))}
      </div>
    </div>
  );
}

function go(run: number, seq: number): void {
  current.value = run;
  views.value[run]?.go(seq);
}

function Section(props: { title: string; head: readonly string[]; children: readonly (readonly string[])[] }) {
  const { title, head, children } = props;
  if (children.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <table class="fields">
        <thead>
          <tr>
            {head.map((name) =>
              name === '' ? (
                <td key="" />
              ) : (
                <th key={name} scope="col">
                  {name}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {children.map(([name = '', ...cells]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {cells.map((cell, index) => (
                <td key={head[index + 1]}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function row({ name, good, bad }: ValueDifference): readonly string[] {
  return [name, good ?? 'none', bad ?? 'none'];
}

function verdict(of: { outcome: string; reason: string } | null): string {
  return of === null ? 'no verdict' : `${of.outcome}${of.reason === '' ? '' : `: ${of.reason}`}`;
}

function took(ms: number | null): string {
  return ms === null ? 'not done' : `${(ms / 1000).toFixed(3)} s`;
}

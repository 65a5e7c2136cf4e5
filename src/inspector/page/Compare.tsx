import { current, supply, views } from './state.ts';

/** Two traces beside each other: where they part, and what differs. */
export function Compare() {
  const comparison = supply.value?.info.comparison ?? null;
  if (comparison === null) return <p class="nothing">There is nothing to compare.</p>;
  const go = (run: number, seq: number) => {
    current.value = run;
    views.value[run]?.go(seq);
  };
  const { parting } = comparison;
  return (
    <>
      <h2>Where they part</h2>
      {parting === null ? (
        <p>Both went the same way.</p>
      ) : (
        <>
          <p>{parting.text}</p>
          <p>
            {([parting.good, parting.bad] as const).map((seq, run) =>
              seq === null ? null : (
                <button key={run} type="button" onClick={() => go(run, seq)}>
                  {run === 0 ? 'good' : 'bad'}: event {seq}
                </button>
              ),
            )}
          </p>
        </>
      )}
      {comparison.sections.map(({ title, lines }) => (
        <section key={title}>
          <h3>{title}</h3>
          <ul class="differences">
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

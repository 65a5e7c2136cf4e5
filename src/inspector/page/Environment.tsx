import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import {
  type FactRow,
  factsOf,
  type InstalledPackage,
  parseFacts,
  parsePackages,
  tellingStreams,
} from '../model/facts.ts';
import { supply, type View, view } from './state.ts';

/** The most bytes of a stream that are looked through for facts. */
const MOST = 1024 * 1024;

/** Where the run ran, its tests, and what was installed there. */
export function Environment() {
  const now = view.value;
  const version = now.version.value;
  const { model } = now;
  const told = useSignal<{ facts: readonly FactRow[]; packages: readonly InstalledPackage[] }>({
    facts: [],
    packages: [],
  });
  const wanted = useSignal('');
  useEffect(() => {
    let stale = false;
    void read(now).then((read) => {
      if (!stale) told.value = read;
    });
    return () => {
      stale = true;
    };
  }, [now, model.complete, model.live ? 0 : version]);
  const rows = [...factsOf(model), ...told.value.facts];
  const packages = told.value.packages.filter(({ name }) => name.includes(wanted.value.trim()));
  return (
    <>
      <h2>Environment</h2>
      <table class="fields">
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={`${name} ${value}`}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h2>Packages</h2>
      {told.value.packages.length === 0 ? (
        <p class="nothing">The trace holds no list of packages.</p>
      ) : (
        <>
          <p>
            <label>
              Name contains{' '}
              <input
                type="search"
                value={wanted.value}
                onInput={(event) => {
                  wanted.value = event.currentTarget.value;
                }}
              />
            </label>{' '}
            {packages.length} of {told.value.packages.length}
          </p>
          <table class="fields packages">
            <tbody>
              {packages.slice(0, 1000).map(({ name, version }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{version}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}

async function read(now: View): Promise<{ facts: readonly FactRow[]; packages: readonly InstalledPackage[] }> {
  const { facts, packages } = tellingStreams(now.model);
  const textOf = async (stream: string | undefined) => {
    if (stream === undefined) return '';
    const pieces = (await supply.value?.bytes(now.index, stream, 0, MOST)) ?? [];
    return pieces.map(({ bytes }) => new TextDecoder().decode(bytes)).join('');
  };
  return { facts: parseFacts(await textOf(facts[0])), packages: await lastList(packages, textOf) };
}

/** Not everybody who might have been told what is installed has asked for it. */
async function lastList(
  streams: readonly string[],
  textOf: (stream: string) => Promise<string>,
): Promise<readonly InstalledPackage[]> {
  for (const stream of streams.toReversed()) {
    const list = parsePackages(await textOf(stream));
    if (list.length > 0) return list;
  }
  return [];
}

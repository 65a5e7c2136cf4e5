import { useEffect } from 'preact/hooks';
import { Charts } from './Charts.tsx';
import { Compare } from './Compare.tsx';
import { Environment } from './Environment.tsx';
import { EventDetails } from './EventDetails.tsx';
import { EventList } from './EventList.tsx';
import { Header } from './Header.tsx';
import { Help } from './Help.tsx';
import { Output } from './Output.tsx';
import { narrowPane, open, type Pane, pane, scheme, supply } from './state.ts';
import { Tabs } from './Tabs.tsx';
import { Timeline } from './Timeline.tsx';

const NAMES: Readonly<Record<Pane, string>> = {
  events: 'Events',
  charts: 'Machines',
  timeline: 'Timeline',
  event: 'Event',
  output: 'Output',
  environment: 'Environment',
  compare: 'Compare',
};

/** The whole page. */
export function App() {
  const comparing = (supply.value?.info.runs.length ?? 0) > 1;
  useEffect(() => {
    document.documentElement.dataset.scheme = scheme.value;
  }, [scheme.value]);
  useEffect(() => {
    if (comparing) open('compare');
  }, []);
  const side: readonly Pane[] = ['event', 'output', 'environment', ...(comparing ? (['compare'] as const) : [])];
  const all: readonly Pane[] = ['events', 'timeline', 'charts', ...side];
  const Side = { event: EventDetails, output: Output, environment: Environment, compare: Compare }[
    pane.value as 'event'
  ];
  return (
    <div class="app" data-pane={narrowPane.value}>
      <Header />
      <nav class="narrow-tabs" aria-label="Parts of the page">
        <Tabs
          label="Parts of the page"
          tabs={all.map((id) => ({ id, name: NAMES[id] }))}
          chosen={narrowPane.value}
          choose={(id) => open(id as Pane)}
        />
      </nav>
      <main class="panes">
        <section class="pane-timeline" aria-label="Timeline">
          <Timeline />
        </section>
        <section class="pane-events" aria-label="Events">
          <EventList />
        </section>
        <section class="pane-charts" aria-label="Machines">
          <Charts />
        </section>
        <section class="pane-side" aria-label="Details">
          <div class="side-tabs">
            <Tabs
              label="Details"
              tabs={side.map((id) => ({ id, name: NAMES[id] }))}
              chosen={pane.value}
              choose={(id) => open(id as Pane)}
            />
          </div>
          <div class="side-body" tabIndex={0} role="region" aria-label={NAMES[pane.value]}>
            <Side />
          </div>
        </section>
      </main>
      <Help />
    </div>
  );
}

import type { EventType, TrundleEvent } from '../../events/index.ts';
import type { Fold } from '../folds.ts';

/** What has a beginning and an end once in a testbed's life. */
const PHASES: readonly { span: string; from: EventType; to: readonly EventType[] }[] = [
  { span: 'making the testbed', from: 'startup.requested', to: ['provision.completed', 'provision.failed'] },
  { span: 'starting it', from: 'provision.completed', to: ['boot.completed', 'boot.failed'] },
  { span: 'connecting', from: 'connection.requested', to: ['connection.established', 'connection.failed'] },
  { span: 'making it ready', from: 'testbed.requested', to: ['testbed.readied', 'testbed.failed'] },
  { span: 'taking it down', from: 'teardown.requested', to: ['testbed.removed', 'testbed.kept'] },
];

/** How many milliseconds each thing took, by its name, in the order of its end. */
export function foldSpans(): Fold<ReadonlyMap<string, number>> {
  const begun = new Map<string, number>();
  const spans = new Map<string, number>();
  const times = new Map<string, number>();
  const end = (key: string, name: string, at: number) => {
    const start = begun.get(key);
    if (start === undefined) return;
    begun.delete(key);
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    spans.set(time === 1 ? name : `${name} (${time})`, Math.round((at - start) * 1000) / 1000);
  };
  return {
    see(event: TrundleEvent) {
      for (const { span, from, to } of PHASES) {
        const key = `${span} ${'connection' in event ? event.connection : event.testbed}`;
        if (event.type === from) {
          if (!begun.has(key)) begun.set(key, event.at);
        } else if (to.includes(event.type)) end(key, span, event.at);
      }
      const { at } = event;
      if (event.type === 'test.started') begun.set(`test ${event.test}`, at);
      else if (event.type === 'test.finished') end(`test ${event.test}`, `test ${event.test}`, at);
      else if (event.type === 'copy.started') begun.set(event.copy, at);
      else if (event.type === 'copy.completed' || event.type === 'copy.failed') end(event.copy, 'a copy', at);
      else if (event.type === 'reboot.requested') begun.set(`reboot ${event.testbed}`, at);
      else if (event.type === 'reboot.proven' || event.type === 'reboot.failed')
        end(`reboot ${event.testbed}`, 'a reboot', at);
      else if (event.type === 'run.concluded') spans.set('the whole run', at);
    },
    result: () => spans,
  };
}

import { useEffect, useRef } from 'preact/hooks';
import { KEYS } from './keys.ts';
import { helpShown } from './state.ts';

/** The keys, and what a filter understands. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpShown.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helpShown.value]);
  return (
    <dialog
      ref={dialog}
      aria-label="Help"
      onClose={() => {
        helpShown.value = false;
      }}
    >
      <h2>Keys</h2>
      <dl class="keys">
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <h2>Filter</h2>
      <p>
        Words that all have to stand in an event's sentence or payload. <code>type:connection.*</code>{' '}
        <code>from:driver</code> <code>testbed:tb1</code> <code>machine:command:tb1.x5</code> <code>is:failure</code>{' '}
        look at one thing only, <code>-word</code> leaves out, <code>"two words"</code> stay together.
      </p>
      <h2>Timeline</h2>
      <p>Drag to move, Ctrl and the wheel to zoom, Shift and the wheel to move along.</p>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

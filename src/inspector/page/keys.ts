import { filter, helpShown, open, view } from './state.ts';

/** Every key with what it does, as help tells it. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ['← → or k j', 'step one event'],
  ['Shift ← →', 'step ten events'],
  ['Home End', 'to the first or last event'],
  ['f, Shift f', 'to the next or previous failure'],
  ['c', 'to the cause'],
  ['/', 'filter the events; Esc empties it'],
  ['Space', 'follow a live run, or pause'],
  ['e o v', 'show the event, the output, or the environment'],
  ['?', 'show this list'],
];

/** Hears the keys of the whole page, except where somebody types. */
export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      helpShown.value = false;
      if (target.id === 'filter') {
        filter.value = '';
        target.blur();
      }
      return;
    }
    if (/^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return;
    // Tabs move with the arrows themselves, and a button is pressed with Space.
    const own = target.closest('[role=tablist], button, summary, a') !== null;
    if (own && ['ArrowLeft', 'ArrowRight', 'Home', 'End', ' ', 'Enter'].includes(event.key)) return;
    if (act(event)) event.preventDefault();
  });
}

function act({ key, shiftKey }: KeyboardEvent): boolean {
  const now = view.value;
  const far = shiftKey ? 10 : 1;
  switch (key) {
    case 'ArrowRight':
    case 'ArrowDown':
    case 'j':
      now.step(far);
      return true;
    case 'ArrowLeft':
    case 'ArrowUp':
    case 'k':
      now.step(-far);
      return true;
    case 'PageDown':
      now.step(20);
      return true;
    case 'PageUp':
      now.step(-20);
      return true;
    case 'Home':
      now.go(1);
      return true;
    case 'End':
      now.go(now.model.last);
      return true;
    case 'f':
      now.failure(1);
      return true;
    case 'F':
      now.failure(-1);
      return true;
    case 'c':
      now.toCause();
      open('event');
      return true;
    case '/':
      document.getElementById('filter')?.focus();
      return true;
    case ' ':
      if (!now.model.live) return false;
      now.follow.value = !now.follow.value;
      if (now.follow.value) now.cursor.value = now.model.last;
      return true;
    case 'e':
      open('event');
      return true;
    case 'o':
      open('output');
      return true;
    case 'v':
      open('environment');
      return true;
    case '?':
      helpShown.value = !helpShown.value;
      return true;
    default:
      return false;
  }
}

import type { Colors } from './colors.ts';
import type { ProgressView } from './Progress.ts';

/** The status line for a moment of a run: at most `width` characters wide, not counting colours. Pure. */
export function statusText(view: ProgressView, now: number, width: number, colors: Colors): string {
  const elapsed = `[${duration(now).padStart(4)}]`;
  const deadline =
    view.deadline === null ? '' : ` (deadline ${view.deadline.name}: ${duration(view.deadline.at - now)} left)`;
  const room = Math.max(0, width - elapsed.length - 1);
  const text = clip(body(view, now), room);
  const rest = text.length + deadline.length <= room ? deadline : '';
  return `${colors.dim(elapsed)} ${colors.bold(text)}${rest === '' ? '' : colors.dim(rest)}`;
}

function body({ activity, since, detail, test }: ProgressView, now: number): string {
  const what = test === null ? activity : `test ${test.position}/${test.of} ${test.name}: ${activity}`;
  const lasting = now - since;
  const parts = [`${what}${lasting < 2000 ? '' : ` for ${duration(lasting)}`}`, ...(detail === null ? [] : [detail])];
  return parts.join(', ').replaceAll(/\p{Cc}/gu, ' ');
}

/** Milliseconds in the units that a person who waits counts in: `7s`, `2m05s`, `2h46m`. Pure. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}m`;
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;
}

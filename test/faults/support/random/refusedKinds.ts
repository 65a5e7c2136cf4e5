import { refusalsOf } from '../refused.ts';
import type { Kind } from './fault.ts';

const EXPECTED = { class: 'provision-failed', phase: 'provision' } as const;

/** Faults of whoever runs the program. */
export const REFUSED_KINDS: Readonly<Record<string, Kind>> = {
  'the user may not': (place, draw) => {
    const refusals = refusalsOf(place.name);
    if (refusals.length === 0) return null;
    const refused = draw.of(refusals);
    return { what: ['who is no root', ...(refused.options ?? [])].join(' '), refused, expected: EXPECTED };
  },
  'there are no subordinate ids': (place) =>
    place.name === 'unshare'
      ? {
          what: 'for the user',
          refused: { code: 'no-subuids', says: 'usermod --add-subuids', options: ['--map=subuids'] },
          expected: EXPECTED,
        }
      : null,
};

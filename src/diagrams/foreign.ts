import type { Line } from './chart.ts';
import type { Effects, Named } from './effects.ts';
import { words } from './words.ts';

/** Reads the actions of any machine by their names, and calls none of them. */
export class NamesOnly {
  of(actions: readonly (Named | ((...args: never[]) => unknown))[]): Effects {
    const lines = actions.flatMap((action): Line[] => {
      const name = typeof action === 'string' ? action : typeof action === 'function' ? action.name : action.type;
      // What a machine only notes for itself is left out, as it is of ours.
      return name === '' || name === 'xstate.assign'
        ? []
        : [{ kind: 'words', text: words(name.replace(/^xstate\./, '')) }];
    });
    return { lines, unexpected: false };
  }

  deadlineOf(): null {
    return null;
  }
}

/** What an event of XState's own is called in a picture, and whether it is the end of a delay. Pure. */
export function eventName(type: string): { readonly name: string; readonly delay: boolean } {
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(type) ?? [];
  if (delay !== undefined) return { name: /^\d+$/.test(delay) ? `after ${delay} ms` : `after ${delay}`, delay: true };
  const [, how, what] = /^xstate\.(done|error)\.(?:state|actor)\.(.*)$/.exec(type) ?? [];
  return {
    name: how === undefined ? type : `${what?.split('.').at(-1)} ${how === 'done' ? 'done' : 'failed'}`,
    delay: false,
  };
}

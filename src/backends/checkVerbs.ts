import { BackendError, type BackendVerbs } from './contract.ts';

const REQUIRED = ['create', 'start', 'endpoint', 'stop', 'destroy'] as const;
const OPTIONAL = ['restart', 'reset', 'keep'] as const;

/**
 * What a backend's open() gave, once it is known to have all verbs: whoever writes one shall read which is missing.
 * @throws BackendError
 */
export function checkVerbs(backend: string, value: unknown): BackendVerbs {
  const wrong = (what: string) =>
    new BackendError('bad-backend', `open() of the backend ${backend} gives ${what}`, {
      remedy: 'see docs/backends.md for the verbs of a backend',
    });
  if (typeof value !== 'object' || value === null) throw wrong('no object with the verbs of a testbed');
  if (value instanceof Promise) throw wrong('a promise: it must give the verbs at once, and create() takes the time');
  const verbs = value as Record<string, unknown>;
  const missing = REQUIRED.filter((verb) => typeof verbs[verb] !== 'function');
  if (missing.length > 0) throw wrong(`a testbed without ${missing.map((verb) => `${verb}()`).join(', ')}`);
  const odd = OPTIONAL.find((verb) => verbs[verb] !== undefined && typeof verbs[verb] !== 'function');
  if (odd !== undefined) throw wrong(`a testbed whose ${odd} is no function`);
  const { observations$ } = value as Partial<BackendVerbs>;
  if (typeof observations$?.subscribe !== 'function')
    throw wrong('a testbed without observations$, an Observable (a Subject will do)');
  return value as BackendVerbs;
}

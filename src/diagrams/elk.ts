import ElkConstructor, { type ELK } from 'elkjs/lib/elk.bundled.js';

/** ELK's layout engine: larger than all the rest of Trundle, so it is loaded where a chart is laid out, and only there. */
export function createElk(): ELK {
  // The module is CommonJS, and its type says that its default export is the whole of it.
  return new (ElkConstructor as unknown as new () => ELK)();
}

import type { ConfiguredBackend } from './contract.ts';
import { nullBackend } from './null/index.ts';

/** Finds a backend by its words and gives it its options. */
export async function configureBackend(words: readonly string[]): Promise<ConfiguredBackend> {
  const [name] = words;
  if (name !== 'null') throw new Error(`no backend ${name}`);
  const options = nullBackend.options.parse({});
  return {
    name: 'null',
    words,
    capabilities: () => nullBackend.capabilities(options),
    open: (host) => nullBackend.open(options, host),
  };
}

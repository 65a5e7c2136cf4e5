import { afterAll, beforeAll } from 'vitest';
import { IMAGE_PATIENCE } from '../../support/images.ts';
import type { Provider, ProviderKind } from './providers.ts';

/** A provider that the tests of a suite share. */
export interface UsedProvider {
  readonly provider: Provider;
  /** The words of its testbeds on a sound image, made once. */
  words(): string[];
}

/** Makes a provider ready before the tests of the running suite, and takes it away after them. */
export function useProvider({ make }: ProviderKind): UsedProvider {
  let provider: Provider | undefined;
  let image = '';
  beforeAll(async () => {
    provider = await make();
    image = provider.image();
  }, IMAGE_PATIENCE);
  afterAll(() => provider?.[Symbol.asyncDispose]());
  const given = () => {
    if (provider === undefined) throw new Error('the provider was not made');
    return provider;
  };
  return {
    get provider() {
      return given();
    },
    words: () => given().words(image),
  };
}

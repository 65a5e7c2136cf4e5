import { expect, test } from 'vitest';
import * as api from '../../src/index.ts';

/**
 * The library's names are a promise. A change here is a change of the public interface: say so in CHANGELOG.md and
 * update the list with `npx vitest run --project unit test/architecture -u`.
 */
test('the library exports these names and no others', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot();
});

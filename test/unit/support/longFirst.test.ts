import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LONG } from '../../support/longFirst.ts';

test('the files of tests that are begun first are there', () => {
  const gone = LONG.filter((name) => !existsSync(new URL(`../../${name}.test.ts`, import.meta.url)));
  expect(gone).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/cli.ts';

test('a class keeps its name in the bundle, though others are called the same: ssh2 asks for it', () => {
  const asking = readFileSync(join(root, 'node_modules/ssh2/lib/utils.js'), 'utf8');
  const names = [...asking.matchAll(/constructor\.name === '(\w+)'/g)].map(([, name]) => name);
  expect(names).toEqual(['Session']);
  const code = join(root, 'dist/code');
  const [piece = ''] = readdirSync(code).filter((name) => /^ssh2-.*\.cjs$/.test(name));
  const text = readFileSync(join(code, piece), 'utf8');
  const session = /=class extends EventEmitter\{static\{__name\(this,"Session"\)\}constructor\(client,info,localChan\)/;
  expect(text).toMatch(session);
});

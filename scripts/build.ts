import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import { keepCode } from './codeCache.ts';

// `npm run build`, and `prepare` of `npm ci`: the bundles, then the type declarations beside them.
const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = createRequire(import.meta.url).resolve('typescript/package.json');

keepCode(await bundle());
// Declarations of sources that are gone would be published with the rest.
for (const entry of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
  if (entry.endsWith('.d.ts')) rmSync(join(root, 'dist', entry));
}
const { status } = spawnSync(process.execPath, [join(dirname(compiler), 'bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;

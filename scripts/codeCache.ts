import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pieces } from '../src/bundle/load.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Keeps V8's compiled code of a bundle beside it, with all that a small run needs. Does without if that fails. */
export function keepCode(bundle: string): void {
  const place = mkdtempSync(join(tmpdir(), 'trundle-build-'));
  try {
    const script = fileURLToPath(import.meta.url);
    const words = ['run', `${root}/examples/hello/`, '--', 'null'];
    const run = spawnSync(process.execPath, ['--import', 'tsx', script, bundle, ...words], {
      cwd: root,
      env: { ...process.env, XDG_STATE_HOME: place, HOME: place, TMPDIR: place },
      stdio: 'ignore',
      timeout: 60_000,
    });
    // What was compiled until it failed is good all the same.
    if (run.error) process.stderr.write(`no warm code for ${bundle}: ${run.error.message}\n`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [bundle = '', ...words] = process.argv.slice(2);
  const pieces = new Pieces(bundle, { cached: false });
  process.once('exit', () => {
    for (const [file, script] of pieces.scripts) {
      writeFileSync(`${file}.cache.new`, script.createCachedData());
      renameSync(`${file}.cache.new`, `${file}.cache`);
    }
  });
  await pieces.whole.main(words);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { pageStyle } from '../src/diagrams/index.ts';
import { ownCharts } from '../src/inspector/charts.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/inspector/page');

/** What the inspector's page is made of: the files of dist/inspector/ by name, and what they were made from. */
export async function buildPage(): Promise<{ files: Map<string, string>; inputs: readonly string[] }> {
  const built = await build({
    absWorkingDir: root,
    entryPoints: [join(source, 'main.tsx')],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    platform: 'browser',
    // What light-dark() and DecompressionStream need, too.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
    outdir: 'dist/inspector',
  });
  const style = await build({
    stdin: { contents: `${readFileSync(join(source, 'page.css'), 'utf8')}\n${pageStyle('.chart')}`, loader: 'css' },
    minify: true,
    write: false,
    target: ['chrome123', 'firefox120', 'safari17.5'],
  });
  const files = new Map([
    ['page.js', built.outputFiles[0]?.text ?? ''],
    ['page.css', style.outputFiles[0]?.text ?? ''],
    ['charts.json', JSON.stringify(await ownCharts())],
  ]);
  return { files, inputs: Object.keys(built.metafile.inputs) };
}

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { makeProject } from '../support/examples.ts';
import { forThisTest } from '../support/workplace.ts';
import { root } from './support/cli.ts';

/** A fenced block of a page, and the one after it where that tells what the first one prints. */
interface Snippet {
  readonly heading: string;
  readonly code: string;
  readonly prints: string | null;
}

function snippetsOf(page: string, language: string): Snippet[] {
  const text = readFileSync(join(root, 'docs', page), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`\\n(?:\\n\`\`\`text\\n(.*?)^\`\`\`\\n)?`, 'gms');
  return [...text.matchAll(block)].map(({ 1: code = '', 2: prints = null, index }) => ({
    heading:
      text
        .slice(0, index)
        .match(/^## (.*)$/gm)
        ?.at(-1)
        ?.slice(3) ?? page,
    code,
    prints,
  }));
}

describe('docs/library.md', () => {
  const snippets = snippetsOf('library.md', 'ts');

  test('has an example under every heading', () => {
    const headings = readFileSync(join(root, 'docs/library.md'), 'utf8').match(/^## .*$/gm) ?? [];
    expect(snippets.map(({ heading }) => `## ${heading}`)).toEqual(headings);
  });

  test('has examples whose types are right', () => {
    const { directory } = forThisTest(makeProject());
    const { paths: _ours, ...compilerOptions } = JSON.parse(
      readFileSync(join(root, 'tsconfig.json'), 'utf8'),
    ).compilerOptions;
    const typeRoots = [join(root, 'node_modules/@types')];
    const config = { compilerOptions: { ...compilerOptions, typeRoots }, include: ['*.ts'] };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
    for (const [index, { code }] of snippets.entries()) writeFileSync(join(directory, `snippet${index}.ts`), code);
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', directory], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  test.each(snippets)('has an example that does what it says: $heading', async ({ code, prints }) => {
    const project = forThisTest(makeProject());
    project.add('hello');
    const { code: plain } = await transform(code, { loader: 'ts', format: 'esm', target: 'node20' });
    const file = join(project.directory, 'snippet.mjs');
    writeFileSync(file, plain);
    const said = execFileSync(process.execPath, [file], { cwd: project.directory, encoding: 'utf8' });
    if (prints === null) expect(said).toMatch(/\n0 null 3\n$/);
    else expect(said).toBe(prints);
  });
});

describe('docs/backends.md', () => {
  test('shows of the example only what stands in it, in its order', () => {
    // A piece out of the middle of a class is not set in on the page.
    const flat = (text: string) => text.replaceAll(/^ +/gm, '');
    const example = flat(readFileSync(join(root, 'examples/trundle-backend-overlay/index.js'), 'utf8'));
    const places = snippetsOf('backends.md', 'js').map(({ code }) => example.indexOf(flat(code)));
    expect(places.length).toBeGreaterThan(3);
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
});

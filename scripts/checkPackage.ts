import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// `npm run check:package`: packs the package as it would be published, puts it into a project that knows nothing of
// this one, and uses it there: the program, the library, and the library's types with every check on.
const root = fileURLToPath(new URL('..', import.meta.url));
const { name, version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  dependencies: Record<string, string>;
};
const project = mkdtempSync(join(tmpdir(), `${name}-package-`));

function run(program: string, args: readonly string[], cwd = project): string {
  return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Makes node_modules of the project: our package from its archive, what it depends on from our own. */
function install(archive: string): string {
  const modules = join(project, 'node_modules');
  const home = join(modules, name);
  mkdirSync(home, { recursive: true });
  run('tar', ['--extract', '--file', archive, '--strip-components=1', '--directory', home]);
  for (const dependency of [...Object.keys(dependencies), '@types/node']) {
    const link = join(modules, dependency);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', dependency), link);
  }
  return home;
}

const CONSUMER = `
import { openTestbed, runTests } from '${name}';
for (const entry of [openTestbed, runTests]) if (typeof entry !== 'function') throw new Error('no function');
`;

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: false,
  },
  files: ['consumer.ts'],
};

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], root));
  const home = install(join(project, packed.filename));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
  writeFileSync(join(project, 'consumer.ts'), CONSUMER);
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));

  const said = run(process.execPath, [join(home, 'dist/bin.cjs'), '--version']).trim();
  if (said !== version) throw new Error(`the packed program says version ${said}, package.json says ${version}`);
  run(process.execPath, ['--input-type=module', '--eval', CONSUMER]);
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]);
  console.log(
    `${packed.filename}: ${packed.entryCount} files, ${Math.ceil(packed.size / 1024)} KiB; program, library and types work`,
  );
} finally {
  rmSync(project, { recursive: true, force: true });
}

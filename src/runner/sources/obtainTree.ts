import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeDirectory } from '../../host/index.ts';
import { type BuildOptions, build, builtDebs } from '../build/build.ts';
import type { OutputDirectory } from '../output/OutputDirectory.ts';
import type { RunLog } from '../output/RunLog.ts';
import type { TestbedSession } from '../session/TestbedSession.ts';
import { packageVersion, type SourceTree } from '../source.ts';
import { isTree, type Source } from './Source.ts';
import { isPatched, PLACE, unpack } from './unpack.ts';

/** What decides how a source becomes a tree with tests. */
export interface ObtainOptions extends BuildOptions {
  readonly log: RunLog;
  readonly output: OutputDirectory | null;
  /** Whether binaries are built from the source (-B says no), and used by the tests. */
  readonly builtBinaries: boolean;
  /** Whether any test of a tree that runs here needs a built tree. @throws BadPackageError */
  readonly testsNeedBuild: (tree: SourceTree) => Promise<boolean>;
  /** Directory on the host for what is only needed during the run. */
  readonly rooms: TemporaryRooms;
}

/**
 * Makes the source a tree that is in the testbed and, for whoever reads its control files and for the time after a
 * revert, on the host. Builds it where that is asked for; what was built then is in the session's repository.
 * @throws BadPackageError, StepError, TestbedError
 */
export async function obtainTree(session: TestbedSession, source: Source, options: ObtainOptions): Promise<SourceTree> {
  const { log, builtBinaries, testsNeedBuild, rooms } = options;
  if (source.kind === 'built-tree') {
    await session.place({ tree: source, place: 'tree' });
    return source;
  }
  if (isTree(source) && !builtBinaries && !isPatched(source.directory) && !(await testsNeedBuild(source))) {
    log.info('build not needed');
    await session.place({ tree: source, place: 'tree' });
    return source;
  }

  await unpack(session, source, options.env);
  const { steps, scratch } = session.workspace;
  const there = `${scratch}/${PLACE}`;
  const tree: SourceTree = { kind: 'built-tree', argument: source.argument, directory: rooms.make('tests-tree') };
  const copyUp = (name: string) => steps.copy('up', `${there}/${name}`, `${tree.directory}/${name}`);
  await copyUp('debian/');
  if (!isTree(source)) tellVersion(tree, log, options.output);

  const why = builtBinaries
    ? 'build needed for binaries'
    : (await testsNeedBuild(tree))
      ? 'build needed for tests'
      : null;
  log.info(why ?? 'build not needed');
  if (why !== null) await build(session, options);
  await copyUp('');
  session.adopt({ tree, place: PLACE });
  if (why !== null && builtBinaries) {
    for (const deb of await builtDebs(session)) await session.repository.fetch(steps, deb);
  }
  return tree;
}

/** Tells what is under test, in the log and in testpkg-version, as far as the changelog says it. */
export function tellVersion(tree: SourceTree, log: RunLog, output: OutputDirectory | null): void {
  const version = packageVersion(tree);
  if (version === null) return;
  log.info(`testing package ${version.name} version ${version.version}`);
  output?.write('testpkg-version', `${version.name} ${version.version}\n`);
}

/** Directories that go away when the run ends: in the output directory where there is one, else in a temporary one. */
export class TemporaryRooms {
  readonly #output: OutputDirectory | null;
  readonly #made: string[] = [];

  constructor(output: OutputDirectory | null) {
    this.#output = output;
  }

  make(name: string): string {
    const directory = this.#output?.file(name) ?? mkdtempSync(path.join(tmpdir(), `trundle-${name}-`));
    makeDirectory(directory);
    this.#made.push(directory);
    return directory;
  }

  remove(): void {
    for (const directory of this.#made) rmSync(directory, { recursive: true, force: true });
  }
}

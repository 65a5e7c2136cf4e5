import { defineConfig } from 'vitest/config';
import { ORDINARY_WORKERS } from './test/contract/support/ordinary/pool.ts';
import { LongFirst } from './test/support/longFirst.ts';

/** Bundles anew where a source changed, so that the suite tests the real program. */
const FRESH_BUILD = ['./test/support/freshBuild.ts'];

interface Suite {
  /** Folders of test/, or single files in them without `.test.ts`. */
  readonly folders: readonly string[];
  /** Files that are another suite's. */
  readonly without?: readonly string[];
  readonly seconds: number;
  readonly before?: string[];
  /** Whose process its tests are in. Absent: that of whoever runs them. */
  readonly by?: 'ordinary user';
}

/**
 * In CI a test with real daemons gets a second try: one that hangs on the machine's mood shall not hide what the others
 * found. The closing table names each test that needed it, with what went wrong the first time.
 */
const TRIES_AGAIN = process.env.CI === 'true' ? 1 : 0;

/** Suites by folder. Those with real processes get a minute; nothing may wait without a deadline of its own. */
const SUITES: Record<string, Suite> = {
  unit: { folders: ['unit', 'architecture'], seconds: 20 },
  contract: { folders: ['contract'], without: ['contract/ordinary'], seconds: 60, before: FRESH_BUILD },
  'contract-ordinary': {
    folders: ['contract/ordinary'],
    seconds: 60,
    before: ['./test/contract/support/ordinary/setup.ts'],
    by: 'ordinary user',
  },
  driver: { folders: ['driver'], seconds: 60 },
  standin: { folders: ['standin'], seconds: 60 },
  backends: { folders: ['backends'], seconds: 60, before: FRESH_BUILD },
  testbed: { folders: ['testbed'], seconds: 60 },
  runner: { folders: ['runner'], seconds: 300, before: FRESH_BUILD },
  packages: { folders: ['packages'], seconds: 300, before: FRESH_BUILD },
  faults: { folders: ['faults'], seconds: 120, before: FRESH_BUILD },
  browser: { folders: ['browser'], seconds: 120, before: FRESH_BUILD },
  e2e: { folders: ['e2e'], seconds: 120, before: FRESH_BUILD },
};

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // Of whole programs, more at once only take longer each.
    maxConcurrency: 3,
    sequence: { sequencer: LongFirst },
    reporters: ['default', './test/support/closingTableReporter.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
    projects: Object.entries(SUITES).map(([name, { folders, without = [], seconds, before, by }]) => ({
      extends: true as const,
      test: {
        name,
        include: folders.map((folder) => `test/${folder}{/**/*,}.test.ts`),
        exclude: without.map((file) => `test/${file}.test.ts`),
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        teardownTimeout: 20_000,
        retry: name === 'unit' ? 0 : TRIES_AGAIN,
        // Unit tests have no state but their own: a worker loads what they test once.
        isolate: name !== 'unit',
        ...(before === undefined ? {} : { globalSetup: before }),
        ...(by === undefined ? {} : { pool: ORDINARY_WORKERS }),
      },
    })),
  },
});

import { defineConfig } from 'vitest/config';

/** Suites by folder. Those with real processes get a minute; nothing may wait without a deadline of its own. */
const SUITES = {
  unit: { folders: ['unit', 'architecture'], seconds: 20 },
  contract: { folders: ['contract'], seconds: 60 },
  driver: { folders: ['driver'], seconds: 60 },
  standin: { folders: ['standin'], seconds: 60 },
  backends: { folders: ['backends'], seconds: 60 },
  testbed: { folders: ['testbed'], seconds: 60 },
  runner: { folders: ['runner'], seconds: 60 },
  faults: { folders: ['faults'], seconds: 120 },
  e2e: { folders: ['e2e'], seconds: 120 },
} as const;

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './test/support/closingTableReporter.ts'],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
    projects: Object.entries(SUITES).map(([name, { folders, seconds }]) => ({
      extends: true as const,
      test: {
        name,
        include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        teardownTimeout: 20_000,
      },
    })),
  },
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as api from '../../src/index.ts';

// The library's names are a promise. A change of these lists is a change of the public interface: say so in
// CHANGELOG.md, and update them with `npx vitest run --project unit test/architecture -u`.

test('the library exports these values and no others', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "BackendError",
      "BackendLoadError",
      "BackendOptionError",
      "DEADLINES",
      "Subject",
      "TestbedError",
      "TraceError",
      "UsageError",
      "VERSION",
      "compareTraces",
      "configureBackend",
      "createRun",
      "defineBackend",
      "exitCodeOf",
      "generateKeyPair",
      "inspectSystem",
      "openTestbed",
      "readTrace",
      "runTests",
      "z",
    ]
  `);
});

test('the library exports these types and no others', () => {
  const source = readFileSync(new URL('../../src/index.ts', import.meta.url), 'utf8');
  const lists = [...source.matchAll(/export (type )?\{([^}]*)\}/g)];
  const types = lists.flatMap(([, whole, names = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && (whole !== undefined || name.startsWith('type ')))
      .map((name) => name.replace(/^type /, '').replace(/^.* as /, '')),
  );
  expect(types.sort()).toMatchInlineSnapshot(`
    [
      "Availability",
      "Backend",
      "BackendHost",
      "BackendVerbs",
      "Capability",
      "Cause",
      "CauseClass",
      "Clock",
      "ClosedTestbed",
      "Command",
      "CommandEnd",
      "CommandResult",
      "Comparison",
      "ConfiguredBackend",
      "CopyOptions",
      "Credentials",
      "Deadline",
      "DeadlineTable",
      "Decision",
      "Endpoint",
      "EventData",
      "EventDraft",
      "EventType",
      "ExecOptions",
      "ExecResult",
      "Forward",
      "InspectSystemOptions",
      "KeptPlace",
      "KeptResult",
      "KeptTestbed",
      "KeyPair",
      "Location",
      "Messenger",
      "Observation",
      "ObservationType",
      "OpenOptions",
      "OpenTestbedOptions",
      "PackageOutcome",
      "PackageResult",
      "ReachableEndpoint",
      "Run",
      "RunEnd",
      "RunOptions",
      "RunReport",
      "RunResults",
      "RunTestsOptions",
      "RunningCommand",
      "ShellOptions",
      "SystemInspector",
      "TestOutcome",
      "TestResult",
      "Testbed",
      "TrundleEvent",
    ]
  `);
});

test('the version that the library tells is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(api.VERSION).toBe(version);
});

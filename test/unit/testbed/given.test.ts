import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { checkRunTests } from '../../../src/runner/givenRunTests.ts';
import {
  checkClose,
  checkCommand,
  checkCopy,
  checkForward,
  checkOpenTestbed,
  checkReboot,
  checkRun,
  checkShell,
} from '../../../src/testbed/givenOptions.ts';

const backend = { name: 'null', words: ['null'], capabilities: () => [], open: () => {} };
const here = { host: '127.0.0.1', port: 0 };
const there = { host: '127.0.0.1', port: 22 };
const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
const forward = (...given: unknown[]) => checkForward(...(given as Parameters<typeof checkForward>));

test.each<[string, () => void]>([
  ['a program', () => checkCommand('exec', ['echo', ''], {})],
  ['a line', () => checkCommand('exec', 'echo', { timeout: 0.5, stdin: Buffer.of(1), env: {}, cwd: '/' })],
  ['options that are left out by name', () => checkCommand('exec', 'echo', { timeout: undefined, signal: undefined })],
  [
    'a signal of another realm',
    () => checkCopy('copyUp', 'a', 'b', { signal: { aborted: false, addEventListener() {} } }),
  ],
  ['a shell', () => checkShell({ ...streams, size: { columns: 80, rows: 24 } })],
  ['a forward to any port', () => forward('local', here, there, {})],
  ['a testbed', () => checkOpenTestbed(backend, { deadlines: { command: 0, boot: 5 }, trace: null, id: 'a1.b-2' })],
  [
    'tests',
    () => checkRunTests({ source: '.', backend, terminal: { stdout: streams.stdout, stderr: streams.stdout } }),
  ],
])('%s is taken', (_what, check) => {
  expect(check).not.toThrow();
});

describe('what plain JavaScript hands over is refused by its place', () => {
  test.each<[string, () => void]>([
    [
      'exec: command must be an array of strings, or a line for sh, not undefined',
      () => checkCommand('exec', undefined, {}),
    ],
    ['exec: command[1] must be a string, not 5', () => checkCommand('exec', ['sleep', 5], {})],
    ['exec: options must be an object, not null', () => checkCommand('exec', 'x', null)],
    [
      'exec: options.timeout must be a number of milliseconds above 0 (for no limit, leave it out), not 0',
      () => checkCommand('exec', 'x', { timeout: 0 }),
    ],
    [
      'options.timeout must be a number of milliseconds above 0 (for no limit, leave it out), not NaN',
      () => checkCommand('exec', 'x', { timeout: Number.NaN }),
    ],
    [
      '(for no limit, leave it out), not Infinity',
      () => checkCommand('exec', 'x', { timeout: Number.POSITIVE_INFINITY }),
    ],
    ["(for no limit, leave it out), not '5'", () => checkCommand('exec', 'x', { timeout: '5' })],
    ['exec: options.env.A must be a string, not undefined', () => checkCommand('exec', 'x', { env: { A: undefined } })],
    [
      'exec: options.env must be an object of strings, by the names of variables, not such an array',
      () => checkCommand('exec', 'x', { env: ['A=b'] }),
    ],
    [
      'exec: options.stdin must be a Readable of node:stream, a Uint8Array or a string, not null',
      () => checkCommand('exec', 'x', { stdin: null }),
    ],
    ['exec: options.login must be a string, not 5', () => checkCommand('exec', 'x', { login: 5 })],
    [
      'exec: options.pty.term must be a string, not undefined',
      () => checkCommand('exec', 'x', { pty: { columns: 80, rows: 24 } }),
    ],
    [
      'exec: options.signal must be an AbortSignal, not AbortController',
      () => checkCommand('exec', 'x', { signal: new AbortController() }),
    ],
    ['copyDown: to must be a string, not undefined', () => checkCopy('copyDown', '/a', undefined, {})],
    ['copyUp: options.onProgress must be a function, not 5', () => checkCopy('copyUp', '/a', '/b', { onProgress: 5 })],
    ['shell: options.size must be an object, not undefined', () => checkShell(streams)],
    ['forward: direction must be "local" or "remote", not undefined', () => forward()],
    [
      'forward: listen.port must be a whole number from 0 to 65535, not 70000',
      () => forward('local', { ...here, port: 70_000 }, there, {}),
    ],
    [
      'forward: connect.host must be the name or address of a host, not undefined',
      () => forward('local', here, { port: 22 }, {}),
    ],
    ['reboot: options.line must be a string, not 5', () => checkReboot('reboot', { line: 5 })],
    ['close: options.keep must be true or false, not 1', () => checkClose({ keep: 1 })],
    [
      'openTestbed: backend must be a backend, as configureBackend() gives it, not a promise (await it)',
      () => checkOpenTestbed(Promise.resolve(backend), {}),
    ],
    [
      'openTestbed: options.deadlines.boot must be a number of milliseconds, not NaN',
      () => checkOpenTestbed(backend, { deadlines: { boot: Number.NaN } }),
    ],
    [
      'openTestbed: options.deadlines: there is no deadline "boots". Did you mean boot?',
      () => checkOpenTestbed(backend, { deadlines: { boots: 5 } }),
    ],
    [
      'openTestbed: options.maxConnections must be a whole number from 1 on, not 0',
      () => checkOpenTestbed(backend, { maxConnections: 0 }),
    ],
    ['createRun: options.trace must be a path, or null, not undefined', () => checkRun({})],
  ])('%s', (message, check) => {
    expect(check).toThrow(TypeError);
    expect(check).toThrow(message);
  });

  test.each<[string, object]>([
    ['runTests: options.source must be a string, or an array of strings, not undefined', { source: undefined }],
    [
      'runTests: options.terminal.stderr must be a Writable of node:stream, not 5',
      { terminal: { ...streams, stderr: 5 } },
    ],
    ['runTests: options.timeouts.test must be a number of seconds above 0, not 0', { timeouts: { test: 0 } }],
    ['runTests: options.timeouts: there is no "tests"', { timeouts: { tests: 5 } }],
    ["runTests: options.testNames must be an array of strings, not 'one'", { testNames: 'one' }],
    ['runTests: options.shell must be "never", "on-failure" or "always", not \'maybe\'', { shell: 'maybe' }],
    [
      'runTests: options.testbed.maxConnections must be a whole number from 1 on, not 0',
      { testbed: { maxConnections: 0 } },
    ],
  ])('%s', (message, options) => {
    const terminal = { stdout: streams.stdout, stderr: streams.stdout };
    const check = () => checkRunTests({ source: '.', backend, terminal, ...options });
    expect(check).toThrow(expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }));
  });

  test('of what may be a secret, only its type is told', () => {
    const check = () => checkCommand('exec', 'x', { secrets: 'hunter2' });
    expect(check).toThrow('exec: options.secrets must be an array of strings, not a string');
    expect(check).not.toThrow(/hunter2/);
  });
});

import { describe, expect, test } from 'vitest';
import { parseRun } from '../../../src/cli/verbs/run.ts';

describe("the options of trundle run, in autopkgtest's spelling", () => {
  test('become what the runner takes', () => {
    const words = [
      ...['-o', 'out', '--log-file=log', '--summary-file', 'sum', '-q', '--env', 'A=1', '--env=B=x=y', '-u', 'tester'],
      ...[
        '--test-name',
        'a',
        '--test-name=b',
        '--skip-test',
        'c',
        '--ignore-restrictions',
        'needs-root,isolation-machine',
      ],
      ...[
        '--timeout-test',
        '5',
        '--timeout-short=1.5',
        '--timeout-factor',
        '2',
        '--set-lang',
        'C',
        '--build-parallel=3',
        '--gain-root=sudo',
      ],
      ...['--results', 'r.json', '--junit=j.xml', '--annotations', 'none'],
      ...['--copy=a:b', '--copy=c:d', '--setup-commands', 'true', '--setup-commands-boot=false', '--timeout=90'],
      ...['--needs-internet', 'try', '-s', '--override-control', 'control', '--no-auto-control', '-V', './hello'],
    ];
    expect(parseRun(words).tests).toEqual({
      source: './hello',
      outputDir: 'out',
      logFile: 'log',
      summaryFile: 'sum',
      quiet: true,
      env: ['A=1', 'B=x=y'],
      user: 'tester',
      testNames: ['a', 'b'],
      skipTests: ['c'],
      ignoreRestrictions: ['needs-root', 'isolation-machine'],
      timeouts: { test: 5, short: 1.5 },
      timeoutFactor: 2,
      lang: 'C',
      parallel: 3,
      gainRoot: 'sudo',
      internet: 'try',
      resultsFile: 'r.json',
      junitFile: 'j.xml',
      annotations: false,
      copy: ['a:b', 'c:d'],
      setupCommands: ['true'],
      setupCommandsBoot: ['false'],
      timeout: 90,
      overrideControl: 'control',
      autoControl: false,
      validate: true,
      shell: 'on-failure',
    });
  });

  test('that are not given are not passed on', () => {
    expect(parseRun(['./hello'])).toEqual({
      tests: { source: './hello', timeouts: {} },
      session: {},
      page: { inspect: false, open: true, port: 0, report: 'off' },
    });
  });

  test('a report is written on failure where there is an output directory, unless another wish is told', () => {
    const reportOf = (...words: string[]) => parseRun([...words, './hello']).page.report;
    expect(reportOf('-o', 'out')).toBe('on-failure');
    expect(reportOf('-o', 'out', '--report', 'off')).toBe('off');
    expect(reportOf('--report=on')).toBe('on');
    expect(() => reportOf('--report=never')).toThrow(/on-failure/);
  });

  test('may come after the source', () => {
    expect(parseRun(['./hello', '--shell']).tests).toMatchObject({ source: './hello', shell: 'always' });
  });

  test('--summary is --summary-file', () => {
    expect(parseRun(['--summary=s', './hello']).tests.summaryFile).toBe('s');
  });

  test('-B builds nothing for the tests', () => {
    const builtBinaries = false;
    expect(parseRun(['-B', './hello']).tests).toEqual({ source: './hello', builtBinaries, timeouts: {} });
  });

  test('what apt is given is passed on', () => {
    const words = [
      '-a',
      'arm64',
      '-U',
      '--add-apt-source=deb x y z',
      '--add-apt-release',
      'sid',
      '--pin-packages=sid=a,src:b',
    ];
    const more = ['--apt-pocket=proposed', '--apt-pocket', 'x=a', '--apt-default-release=stable', '--no-apt-fallback'];
    expect(parseRun([...words, ...more, './hello']).tests).toEqual({
      source: './hello',
      timeouts: {},
      aptUpgrade: true,
      testArchitecture: 'arm64',
      addAptSources: ['deb x y z'],
      addAptReleases: ['sid'],
      pinPackages: ['sid=a,src:b'],
      aptPockets: ['proposed', 'x=a'],
      aptDefaultRelease: 'stable',
      aptFallback: false,
    });
  });

  test('keeps testbeds always, unless it is told when; the next word is a source', () => {
    expect(parseRun(['--keep', './hello']).tests).toMatchObject({ keep: 'always', source: './hello' });
    expect(parseRun(['--keep=on-failure', './hello']).tests).toMatchObject({ keep: 'on-failure', source: './hello' });
    expect(parseRun(['./hello']).tests).not.toHaveProperty('keep');
    expect(() => parseRun(['--keep=sometimes', './hello'])).toThrow(/always, on-failure, never/);
  });

  test('may be followed by any number of sources', () => {
    expect(parseRun([]).tests.source).toEqual([]);
    expect(parseRun(['a.deb', './hello', './b.deb']).tests.source).toEqual(['a.deb', './hello', './b.deb']);
  });

  test("our own options set the testbed's deadlines, the trace and the number of connections", () => {
    const words = [
      '--deadline',
      'boot=1000',
      '--deadline=ssh-ready=2000',
      '--trace',
      't',
      '--max-connections',
      '2',
      '-d',
      '--json',
      '.',
    ];
    expect(parseRun(words).session).toEqual({
      deadline: { boot: 1000, 'ssh-ready': 2000 },
      trace: 't',
      maxConnections: 2,
      debug: true,
      json: true,
    });
  });

  test('--insecure is taken and changes nothing, --timeout=0 is no limit, and -d may be given more than once', () => {
    expect(parseRun(['--insecure', '--timeout=0', '-ddd', './hello'])).toEqual({
      ...parseRun(['./hello']),
      session: { debug: true },
    });
  });

  test('a limit beyond what a timer holds is the most that it holds', () => {
    const { timeout, timeouts } = parseRun(['--timeout-test=2147484', '--timeout=99999999999', '.']).tests;
    expect([timeout, timeouts?.test]).toEqual([2_147_483.647, 2_147_483.647]);
  });
});

describe('bad input to trundle run', () => {
  test.each([
    [['--tset-name', 'x', '.'], "unknown option '--tset-name'", 'Did you mean --test-name?'],
    [['--nope', '.'], "unknown option '--nope'", null],
    [['--evn=A=secret', '.'], "unknown option '--evn'", 'Did you mean --env?'],
    [['--halp', '.'], "unknown option '--halp'", 'Did you mean --help?'],
    [['--env', 'x', '.'], 'Expected NAME=VALUE', null],
    [['--env', '.'], 'Expected NAME=VALUE', null],
    [['.', '--env'], 'argument missing', null],
    [['--deadline', 'bot=3', '.'], 'There is no deadline "bot". Did you mean boot?', null],
    [['--deadline', 'boot', '.'], 'Expected NAME=MS', null],
    [['--deadline', 'boot=0', '.'], 'Expected milliseconds', null],
    [['--deadline', 'boot=99999999999', '.'], 'Expected milliseconds', null],
    [['--timeout-test', 'soon', '.'], 'Expected a number of seconds above 0', null],
    [['--timeout-test', '0', '.'], 'Expected a number of seconds above 0', null],
    [['--timeout-factor', '-1', '.'], 'Expected a number above 0', null],
    [['--max-connections', '0', '.'], 'Expected a whole number from 1 on', null],
    [['--needs-internet', 'perhaps', '.'], 'Allowed choices are run, try, skip', null],
  ])('%j is refused in words', (words, problem, hint) => {
    expect(() => parseRun(words)).toThrow(problem);
    if (hint !== null) expect(() => parseRun(words)).toThrow(expect.objectContaining({ hint }));
  });
});

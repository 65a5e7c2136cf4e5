import type { RunResults, TestResult } from './Results.ts';

/** A package's results; `name` is what it is called among several, null where it is the only one. */
export interface SuiteOf {
  readonly name: string | null;
  readonly results: RunResults;
}

/**
 * The results as a JUnit report: one suite for each package, with the elements and attributes that the schemas of Ant
 * and Jenkins both know. A failed test is a failure; a package that cannot be tested, and a test that came to no
 * verdict, are errors; flaky and skipped tests are skipped. Pure.
 * @param hostname where the run was
 */
export function junitXml(packages: readonly SuiteOf[], hostname: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    ...packages.flatMap((each, id) => suiteOf(each, id, hostname)),
    '</testsuites>',
    '',
  ].join('\n');
}

function suiteOf({ name: among, results }: SuiteOf, id: number, hostname: string): string[] {
  const name = among ?? results.package?.name ?? results.sources.at(-1) ?? 'package';
  const cases = results.tests.map((test) => testCase(name, test, results));
  if (results.cause !== null && results.exitCode >= 12 && !results.tests.some(isError))
    cases.push(ofRun(name, results));
  const count = (element: string) => cases.filter((text) => text.includes(`<${element}`)).length;
  const suite = attributes({
    id,
    package: 'autopkgtest',
    name,
    timestamp: results.started.slice(0, 19),
    hostname,
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: results.seconds,
  });
  const properties: [string, string | number][] = [
    ['backend', results.backend.join(' ')],
    ['exitCode', results.exitCode],
    ['run', results.run],
    ...(results.package === null ? [] : ([['version', results.package.version]] as [string, string][])),
    ...(results.retries === 0 ? [] : ([['retries', results.retries]] as [string, number][])),
    ...(results.trace === null ? [] : ([['trace', results.trace]] as [string, string][])),
  ];
  return [
    `  <testsuite${suite}>`,
    '    <properties>',
    ...properties.map(([key, value]) => `      <property${attributes({ name: key, value })}/>`),
    '    </properties>',
    ...cases,
    '    <system-out/>',
    '    <system-err/>',
    '  </testsuite>',
  ];
}

function isError({ outcome, cause }: TestResult): boolean {
  return outcome === 'badpkg' || (outcome === null && cause !== null);
}

function testCase(suite: string, test: TestResult, { cause }: RunResults): string {
  const head = attributes({ name: test.test, classname: suite, time: test.seconds ?? 0 });
  const inner = ending(test, cause?.detail ?? cause?.class ?? 'the run ended before');
  return inner === '' ? `    <testcase${head}/>` : `    <testcase${head}>\n      ${inner}\n    </testcase>`;
}

function ending(test: TestResult, whyNone: string): string {
  const type = test.cause?.class ?? 'test-failed';
  switch (test.outcome) {
    case 'pass':
      return '';
    case 'fail':
      return `<failure${attributes({ message: test.reason, type })}/>`;
    case 'badpkg':
      return `<error${attributes({ message: test.reason, type })}/>`;
    case 'flaky':
      return `<skipped${attributes({ message: `flaky: ${test.reason}` })}/>`;
    case 'skip':
      return `<skipped${attributes({ message: test.reason })}/>`;
    default:
      if (test.cause === null) return `<skipped${attributes({ message: `not run: ${whyNone}` })}/>`;
      return `<error${attributes({ message: test.cause.detail ?? test.cause.class, type })}/>`;
  }
}

/** What failed of the run and no test tells of. */
function ofRun(suite: string, { cause, seconds }: RunResults): string {
  const head = attributes({ name: 'testbed', classname: suite, time: seconds });
  const message = `${cause?.doing}: ${cause?.detail ?? cause?.class}`;
  return `    <testcase${head}>\n      <error${attributes({ message, type: cause?.class ?? '' })}/>\n    </testcase>`;
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

/** What XML 1.0 cannot hold at all becomes U+FFFD; white space that a reader would change is written as a number. */
function escaped(text: string): string {
  return (
    text
      .replace(/\p{Surrogate}/gu, '\uFFFD')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are not allowed
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '\uFFFD')
      .replace(/[&<>"\t\n\r]/g, (character) => ESCAPES[character] ?? character)
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

import path from 'node:path';
import type { RunResults, TestResult } from './Results.ts';

/** Where a package is, seen from the root of the checkout; null where its files are not in it. */
export type Where = string | null;

/**
 * What did not pass, as workflow commands of GitHub Actions: each becomes an annotation. Failures and whatever ended
 * the run are errors, flaky tests are warnings, skipped ones notices. Pure.
 * @param name of the package among several
 */
export function annotations(results: RunResults, where: Where, name: string | null = null): string {
  const lines = results.tests.flatMap((test) => ofTest(test, where, name));
  const before = name === null ? '' : `package ${name}: `;
  const { cause, exitCode } = results;
  if (cause !== null && exitCode >= 16) {
    const title = `trundle: ${before}exit code ${exitCode}`;
    lines.push(command('error', { title }, `${cause.class} while ${cause.doing}: ${cause.detail ?? ''}`));
  } else if (cause?.class === 'bad-package' && !results.tests.some(({ outcome }) => outcome === 'badpkg')) {
    lines.push(
      command('error', { ...fileOf('control', where), title: `${before}erroneous package` }, cause.detail ?? ''),
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

const LEVELS = { fail: 'error', badpkg: 'error', flaky: 'warning', skip: 'notice' } as const;

function ofTest({ test, outcome, reason, superficial }: TestResult, where: Where, name: string | null): string[] {
  if (outcome === null || outcome === 'pass') return [];
  const title = `test ${name === null ? '' : `${name}/`}${test}: ${outcome.toUpperCase()}${superficial ? ' (superficial)' : ''}`;
  return [command(LEVELS[outcome], { ...fileOf('control', where), title }, reason)];
}

function fileOf(name: string, where: Where): { file?: string } {
  return where === null ? {} : { file: path.posix.join(where, 'debian/tests', name) };
}

function command(level: string, properties: Readonly<Record<string, string>>, message: string): string {
  const list = Object.entries(properties).map(([name, value]) => `${name}=${property(value)}`);
  return `::${level} ${list.join(',')}::${data(message)}`;
}

/** A line break would end the command. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

import type { Cause } from '../../events/index.ts';
import { CAUSES, type Explanation, explain, readTrace, type ToldEvent, TraceError } from '../../trace/index.ts';
import { shellWords } from '../words.ts';
import type { Colors } from './colors.ts';
import type { Output } from './Screen.ts';
import type { TraceHome } from './traceHome.ts';

/** How many proofs, and how many things left behind, are shown; the rest is in the trace. */
const SHOWN = 3;

/** How a run ended, for the last words about it. */
export interface Ending {
  readonly exitCode: number;
  readonly cause: Cause | null;
  readonly home: TraceHome;
  /** The run saw that nothing of it is left, which a trace that could not be written to its end does not know. */
  readonly settled: boolean;
}

/** The last words about a run that failed: what failed, what proves it, where the trace is, and how to go on. */
export async function endBlock(ending: Ending, colors: Colors): Promise<string> {
  return renderEnd(ending, await explanationOf(ending.home.directory), colors);
}

/**
 * The last line about a run in which nothing failed: where its trace is, and what tells it. On a terminal only what fits
 * into one line, which may be nothing. Pure.
 */
export function endLine(
  home: TraceHome,
  { isTTY, columns }: Pick<Output, 'isTTY' | 'columns'>,
  colors: Colors,
): string {
  const look = `trundle explain ${home.argument}`;
  const words = [`the trace is in ${home.directory}; ${look} tells it`, `${look} tells how it went`];
  const room = isTTY === true && columns !== undefined && columns > 0 ? columns : Number.POSITIVE_INFINITY;
  const line = words.find((each) => 'trundle: '.length + each.length <= room);
  return line === undefined ? '' : `${colors.dim(`trundle: ${line}`)}\n`;
}

/** See {@link endBlock}. Pure. */
export function renderEnd(
  { exitCode, cause, home, settled }: Ending,
  told: Explanation | null,
  colors: Colors,
): string {
  const row = (name: string, text: string) => `  ${colors.dim(name.padEnd(8))} ${text}\n`;
  let text = `${colors.red('trundle:')} ${headline(exitCode, cause, told)}\n`;
  const left = settled ? [] : (told?.left ?? []);
  const proofs = (told?.evidence ?? []).slice(0, SHOWN);
  if (cause !== null) text += row('while', whileWords(cause, proofs));
  for (const { at, testbed, text: fact } of proofs) {
    text += row('proof', `${(at / 1000).toFixed(3)} s  ${testbed === null ? '' : `${testbed}: `}${fact}`);
  }
  for (const { kind, name, command } of left.slice(0, SHOWN)) {
    text += row('left', `${kind} ${shellWords([name])}${command === null ? '' : `; this removes it: ${command}`}`);
  }
  text += row('trace', home.directory);
  text += row('more', `trundle explain ${home.argument}`);
  if (left.length > 0) text += row('', `trundle reap ${home.argument}`);
  return text;
}

function headline(exitCode: number, cause: Cause | null, told: Explanation | null): string {
  const tests = told?.tests ?? [];
  const failed = tests.filter(({ outcome }) => outcome === 'fail' || outcome === 'badpkg').map(({ test }) => test);
  const count =
    failed.length === 0
      ? ''
      : `${failed.length} of ${tests.length} tests failed: ${failed.slice(0, 8).join(', ')}${failed.length > 8 ? ', ...' : ''}. `;
  if (cause !== null) return `exit code ${exitCode}. ${count}${CAUSES[cause.class].meaning}`;
  if (exitCode === 8) return `exit code ${exitCode}. No test said anything about the package.`;
  return `exit code ${exitCode}. ${count}`.trimEnd();
}

/** What was being done, and what came in its way unless the proofs say it in the same words. */
function whileWords({ doing, detail = '' }: Cause, proofs: readonly ToldEvent[]): string {
  const said = new Set(proofs.flatMap(({ text }) => wordsIn(text)));
  return wordsIn(detail).every((word) => said.has(word)) ? doing : `${doing}: ${oneLine(detail)}`;
}

function wordsIn(text: string): string[] {
  // The one word that differs where a failure's remedy is told.
  return (text.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word !== 'try');
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ').replaceAll(/\p{Cc}/gu, ' ');
}

async function explanationOf(directory: string): Promise<Explanation | null> {
  try {
    return await explain(await readTrace(directory));
  } catch (error) {
    // The cause is known without it; that the trace is not readable is told by `trundle explain`.
    if (error instanceof TraceError) return null;
    throw error;
  }
}

import type { Capability } from '../../events/index.ts';
import { architectureObstacle } from '../control/architecture.ts';
import { type Need, needsOf } from '../control/restrictions.ts';
import type { TestDefinition } from '../control/testControl.ts';

/** What decides which tests run. */
export interface PlanContext {
  readonly capabilities: readonly Capability[];
  /** Debian architecture of the packages under test; null where nobody knows it: Architecture fields are then not looked at. */
  readonly architecture: string | null;
  /** Whether that is another than the testbed's own (--test-architecture). */
  readonly foreign?: boolean;
  /** False where tests that want the internet are to be skipped (--needs-internet=skip). */
  readonly internet: boolean;
  /** Restrictions that must not lead to a skip (--ignore-restrictions). */
  readonly ignoreRestrictions: readonly string[];
  /** Run only these; empty for all (--test-name). */
  readonly only: readonly string[];
  /** Leave these out (--skip-test). */
  readonly without: readonly string[];
}

/** A test of the plan. `id` is the name, or `NAME#2` and so on where a package gives a name more than once. */
export interface PlannedTest {
  readonly id: string;
  readonly definition: TestDefinition;
  /** Why it does not run, in autopkgtest's words; null where it does. */
  readonly skip: string | null;
}

/**
 * Decides for each test whether it runs. Tests that were not asked for are not in the plan, and those that were to be
 * left out only where they would not have run anyway, which autopkgtest tells first. Pure.
 */
export function planTests(definitions: readonly TestDefinition[], context: PlanContext): PlannedTest[] {
  const seen = new Map<string, number>();
  return definitions
    .filter(({ name }) => context.only.length === 0 || context.only.includes(name))
    .map((definition) => ({ definition, skip: obstacle(definition, context) }))
    .filter(({ definition: { name }, skip }) => skip !== null || !context.without.includes(name))
    .map(({ definition, skip }) => {
      const count = (seen.get(definition.name) ?? 0) + 1;
      seen.set(definition.name, count);
      const id = count === 1 ? definition.name : `${definition.name}#${count}`;
      return { id, definition, skip };
    });
}

/** What a name may have in Linux is 255 bytes; files of a test's add to it (`-packages`), and so does a second test of its name. */
const LONGEST_NAME = 240;

function obstacle(test: TestDefinition, context: PlanContext): string | null {
  if (test.unknownField !== null) return `unknown field ${test.unknownField}`;
  if (context.architecture !== null) {
    const reason = architectureObstacle(test.architectures, context.architecture);
    if (reason !== null) return reason;
  }
  if (test.name.includes('/')) return 'test name may not contain / character';
  if (test.name === '.' || test.name === '..') return 'test name may not be . or ..';
  if (Buffer.byteLength(test.name) > LONGEST_NAME) return `test name may not have more than ${LONGEST_NAME} bytes`;

  const effective = test.restrictions.filter((restriction) => !context.ignoreRestrictions.includes(restriction));
  const unknown = effective.find((restriction) => needsOf(restriction) === null);
  if (unknown !== undefined) return `unknown restriction ${unknown}`;

  if (context.foreign && effective.includes('skip-foreign-architecture')) {
    return 'test arch is foreign and skip-foreign-architecture set';
  }

  const provided = new Set<Need>(context.capabilities);
  if (context.internet) provided.add('has_internet');
  for (const restriction of effective) {
    const needs = needsOf(restriction) ?? [];
    if (needs.length > 0 && !needs.some((need) => provided.has(need))) {
      return `Test restriction "${restriction}" requires testbed capability ${listed(needs)}`;
    }
  }
  return null;
}

function listed(needs: readonly Need[]): string {
  return [...needs]
    .sort()
    .map((need) => `"${need}"`)
    .join(' and/or ');
}

import {
  type As,
  type Difference,
  differencesOf,
  explanationOf,
  factsOf,
  usualValue,
} from '../../test/contract/support/parity/differences.ts';
import { EXPLANATIONS } from '../../test/contract/support/parity/explanations.ts';
import { recordedReport } from '../../test/contract/support/parity/recorded.ts';
import { type Page, table } from './page.ts';

const TITLES: Readonly<Record<As, string>> = { root: 'As root', ordinary: 'As an ordinary user' };

/** What a test sees, on every backend. @throws Error for a difference that nobody has explained */
export function parityPage(): Page {
  const report = recordedReport();
  const differences = differencesOf(report);
  const sections = (['root', 'ordinary'] as const).map((as) => {
    const rows = factsOf(report, as).map((fact) => {
      const own = differences.filter((each) => each.as === as && each.fact === fact);
      return [fact, code(usualValue(report, fact, as)), [...groups(own)].join('<br>')];
    });
    return `## ${TITLES[as]}\n\n${table(['fact', 'usually', 'otherwise'], rows)}\n`;
  });
  const reasons = EXPLANATIONS.map(({ why }, index) => `${index + 1}. ${why}`);
  const names = Object.keys(report).map((name) => `- ${name}`);
  const text = `${INTRODUCTION}\n${names.join('\n')}\n\n${sections.join('\n')}\n## Why\n\n${reasons.join('\n')}\n`;
  return { file: 'parity.md', text };
}

/** Differences of one fact, backends with the same value together, each with the number of its reason. */
function groups(differences: readonly Difference[]): string[] {
  const byValue = new Map<string, string[]>();
  for (const difference of differences) {
    const explanation = explanationOf(difference, EXPLANATIONS);
    if (explanation === undefined)
      throw new Error(
        `${difference.backend} shows ${difference.value} as ${difference.fact}, not ${difference.usual}: say why in test/contract/support/parity/explanations.ts, or mend it`,
      );
    const key = `${code(difference.value)} (${EXPLANATIONS.indexOf(explanation) + 1})`;
    byValue.set(key, [...(byValue.get(key) ?? []), difference.backend]);
  }
  return [...byValue].map(([key, backends]) => `${key}: ${backends.join('; ')}`);
}

function code(value: string): string {
  return value === '-' || value.startsWith('(') ? value : `\`${value}\``;
}

const INTRODUCTION = `# Parity

What a test sees of its surroundings, on every backend that the contract suite runs: most of it is the same everywhere,
and where it is not, the number in brackets names the reason below. What differs from run to run or from machine to
machine (ids, names, addresses) is named in brackets. \`-\` is nothing. Besides, descriptors that whoever started trundle
had left open for it are open in commands of the stand-in; an sshd closes them.

This page is made by \`npm run docs\` from what
\`TRUNDLE_PARITY=record npx vitest run test/contract -t parity --no-file-parallelism\` saw last. The same tests, without
the variable, fail where a backend shows anything else, where a difference has no reason, and where a reason has no
difference any more.

The backends:
`;

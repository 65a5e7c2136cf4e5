import { readFileSync } from 'node:fs';
import { ownAccount } from '../../../host/index.ts';

/** A range of subordinate ids, as a line of subuid(5) or subgid(5) gives it. */
export interface SubidRange {
  /** A name or a uid. */
  readonly owner: string;
  readonly start: number;
  readonly count: number;
}

const FILES = ['/etc/subuid', '/etc/subgid'] as const;

/** How many ids a user gets, and where the first ranges are: what login.defs(5) says where nobody has changed it. */
const COUNT = 65_536;
const FIRST = 100_000;

/** The ranges in each file that names some, subuid(5) first; none where there is no file. */
export function subidFiles(): { file: (typeof FILES)[number]; ranges: SubidRange[] }[] {
  return FILES.map((file) => ({ file, ranges: parseSubids(textOf(file)) }));
}

/** Reads subuid(5) or subgid(5). Pure. */
export function parseSubids(text: string): SubidRange[] {
  return text.split('\n').flatMap((line) => {
    const [, owner = '', start, count] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    return owner === '' ? [] : [{ owner, start: Number(start), count: Number(count) }];
  });
}

/** The first range, as usermod(8) takes it, of which nobody has an id. Pure. */
export function freeSubids(taken: readonly SubidRange[]): string {
  let start = FIRST;
  for (const range of taken.toSorted((one, other) => one.start - other.start)) {
    const end = range.start + range.count;
    if (range.start < start + COUNT && end > start) start = end;
  }
  return `${start}-${start + COUNT - 1}`;
}

/** The command by which root gives a user subordinate ids that nobody else has. */
function giveSubids(user: string): string {
  // The same ones as uids and as gids: whoever looks at a file shall not have to compute.
  const free = freeSubids(subidFiles().flatMap(({ ranges }) => ranges));
  return `usermod --add-subuids ${free} --add-subgids ${free} ${user}`;
}

/** The command by which root gives them to us; to who has no account it gives one first. */
export function giveUsSubids(): string {
  const { name, listed } = ownAccount();
  return listed ? giveSubids(name) : `useradd --uid ${name} NAME, then ${giveSubids('NAME')}`;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // No such file: nobody has subordinate ids.
    return '';
  }
}

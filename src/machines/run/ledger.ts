import { type Cause, isTestbedsFault } from '../../events/index.ts';

/** What is to be said in the end of one package, or of the run itself. */
export interface Account {
  /** Null for the run itself; where a run has one package only, that is the same. */
  readonly package: string | null;
  readonly cause: Cause | null;
  /** The testbed that the cause is about; null where it is about none. */
  readonly blamed: string | null;
  /** The cause of the first failed test, where nothing worse happened. */
  readonly testCause: Cause | null;
  /** How many retries it was granted. */
  readonly retries: number;
  /** Null until it is concluded. */
  readonly exitCode: number | null;
}

/** A testbed that failed. */
interface Failed {
  readonly testbed: string;
  readonly package: string | null;
  readonly cause: Cause;
}

/** Whose failure is whose, in a run of one package or several. Immutable. */
export interface Ledger {
  /** The run's own comes first. */
  readonly accounts: readonly Account[];
  /** Which package a testbed serves; the later entry counts. */
  readonly lent: readonly { readonly testbed: string; readonly package: string }[];
  readonly failed: readonly Failed[];
  /** Testbeds of which something is left. */
  readonly stuck: readonly string[];
  /** Testbeds whose failure no longer counts. */
  readonly excused: readonly string[];
}

/** Something that failed. */
export interface Charge {
  /** Whose it is; where nobody says, that of the testbed. */
  readonly package: string | null;
  readonly testbed: string | null;
  readonly cause: Cause;
}

function open(name: string | null): Account {
  return { package: name, cause: null, blamed: null, testCause: null, retries: 0, exitCode: null };
}

/** The ledger of a run in which nothing has happened yet. Pure. */
export const EMPTY: Ledger = { accounts: [open(null)], lent: [], failed: [], stuck: [], excused: [] };

/** Adds a package. Pure. */
export function addPackage(ledger: Ledger, name: string): Ledger {
  if (ledger.accounts.some((account) => account.package === name)) return ledger;
  return { ...ledger, accounts: [...ledger.accounts, open(name)] };
}

/** The account of a package that is not concluded, or else the run's own. Pure. */
export function accountOf({ accounts }: Ledger, name: string | null): Account {
  const own = accounts.find((account) => account.package === name && account.exitCode === null);
  return own ?? (accounts[0] as Account);
}

/** Notes which package a testbed serves. Pure. */
export function lend(ledger: Ledger, testbed: string, to: string): Ledger {
  return { ...ledger, lent: [...ledger.lent.filter((each) => each.testbed !== testbed), { testbed, package: to }] };
}

/** Notes a failure where it belongs. What an excused testbed fails of no longer counts. Pure. */
export function charge(ledger: Ledger, { package: named, testbed, cause }: Charge): Ledger {
  if (testbed !== null && ledger.excused.includes(testbed)) return ledger;
  const whose = named ?? ledger.lent.find((each) => each.testbed === testbed)?.package ?? null;
  const account = accountOf(ledger, whose);
  const kept = worse(account.cause, cause);
  const charged = kept === account.cause ? ledger : change(ledger, account, { cause: kept, blamed: testbed });
  return testbed === null ? charged : { ...charged, failed: noteFailed(ledger.failed, testbed, whose, cause) };
}

/** Notes that not all of a testbed could be removed. Pure. */
export function noteStuck(ledger: Ledger, testbed: string): Ledger {
  return { ...ledger, stuck: [...ledger.stuck, testbed] };
}

/** Notes why a test failed. Pure. */
export function chargeTest(ledger: Ledger, name: string | null, cause: Cause | null): Ledger {
  const account = accountOf(ledger, name);
  return account.testCause !== null || cause === null ? ledger : change(ledger, account, { testCause: cause });
}

/** Why another testbed must not be had in the place of one; null where it may. Pure. */
export function obstacleTo(ledger: Ledger, testbed: string, name: string | null, limit: number): string | null {
  const failed = ledger.failed.find((each) => each.testbed === testbed);
  if (failed === undefined) return 'nothing says that the testbed failed';
  if (!isTestbedsFault(failed.cause)) return `${failed.cause.class} is not what another testbed would mend`;
  if (ledger.stuck.includes(testbed)) return 'not all of the testbed could be removed';
  const account = accountOf(ledger, name);
  if (account.blamed !== testbed && account.cause !== null && !isTestbedsFault(account.cause))
    return 'something else failed';
  return account.retries < limit ? null : `${limit === 1 ? 'one retry was' : `${limit} retries were`} all there are`;
}

/** Excuses a testbed: as if it had not failed. Another one that failed may then be the cause. Pure. */
export function excuse(ledger: Ledger, testbed: string, name: string | null): Ledger {
  const account = accountOf(ledger, name);
  const failed = ledger.failed.filter((each) => each.testbed !== testbed);
  const next = failed.find((each) => each.package === account.package);
  const blame =
    account.blamed === testbed ? { cause: next?.cause ?? null, blamed: next?.testbed ?? null } : ({} as const);
  const changed = change(ledger, account, { ...blame, retries: account.retries + 1 });
  return { ...changed, failed, excused: [...ledger.excused, testbed] };
}

/** Gives a package its exit code. Pure. */
export function conclude(ledger: Ledger, name: string, exitCode: number): Ledger {
  return change(ledger, accountOf(ledger, name), { exitCode });
}

function change(ledger: Ledger, account: Account, by: Partial<Account>): Ledger {
  return { ...ledger, accounts: ledger.accounts.map((each) => (each === account ? { ...each, ...by } : each)) };
}

function noteFailed(failed: Ledger['failed'], testbed: string, whose: string | null, cause: Cause): readonly Failed[] {
  const known = failed.find((each) => each.testbed === testbed);
  if (known === undefined) return [...failed, { testbed, package: whose, cause }];
  return failed.map((each) => (each === known ? { ...each, cause: worse(each.cause, cause) } : each));
}

/** The first cause stands; what the removal of a testbed knows better about the same failure replaces it. Pure. */
function worse(first: Cause | null, later: Cause): Cause {
  if (first === null) return later;
  return later.class === 'testbed-died' && first.class.startsWith('connection-') ? later : first;
}

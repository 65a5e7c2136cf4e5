/** Characters of a command that a person reads at once. */
const LONGEST = 100;

/** A command line in short, for a cause or a sentence: what the runner sends may be a whole script. Pure. */
export function brief(line: string): string {
  const [first = ''] = line.split('\n', 1);
  return first === line && line.length <= LONGEST ? line : `${first.slice(0, LONGEST)} ...`;
}

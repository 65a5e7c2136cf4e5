/**
 * Run inside the testbed as root before a session: says what the image has, as lines `key value`, and its passwd(5)
 * last. Its argument is who will log in first. Changes nothing.
 */
export const SURVEY = `
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
p=$(command -v sshd) && echo "sshd $p"
[ -e /etc/pam.d/sshd ] && echo "pam yes"
p=$(command -v setpriv) && case $("$p" --help 2>&1) in *--init-groups*) echo "setpriv $p";; esac
echo "uid $(id -u 2>/dev/null)"
echo "groups $(id -G "$1" 2>/dev/null)"
echo "passwd"
while IFS= read -r line; do printf '%s\\n' "$line"; done </etc/passwd
exit 0
`;

/** What an image has for sessions. */
export interface Survey {
  readonly sshd: string | null;
  readonly pam: boolean;
  readonly setpriv: string | null;
  /** Whether it can be entered as root. */
  readonly root: boolean;
  /** Numbers of the groups of who will log in first; empty where nobody tells. */
  readonly groups: readonly number[];
  /** The text of its passwd(5). */
  readonly passwd: string;
}

/** Reads what {@link SURVEY} printed. Pure. */
export function parseSurvey(output: string): Survey {
  const cut = output.indexOf('passwd\n');
  const head = cut < 0 ? output : output.slice(0, cut);
  const values = new Map(
    head.split('\n').map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)] as const;
    }),
  );
  return {
    sshd: values.get('sshd') ?? null,
    pam: values.has('pam'),
    setpriv: values.get('setpriv') ?? null,
    root: values.get('uid') === '0',
    groups: numbersIn(values.get('groups') ?? ''),
    passwd: cut < 0 ? '' : output.slice(cut + 'passwd\n'.length),
  };
}

/** The numbers that id(1) printed in a line. Pure. */
export function numbersIn(line: string): number[] {
  return line.trim() === '' ? [] : line.trim().split(' ').map(Number).filter(Number.isSafeInteger);
}

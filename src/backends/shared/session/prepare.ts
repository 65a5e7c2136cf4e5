import { ROOT_PATH } from '../../../standin/index.ts';
/**
 * A script to be run inside the testbed as root before a session: says what the image has, as lines `key value`, and its
 * passwd(5) last. Its argument is who will log in first. Pure.
 * @param install what to do then where there is an sshd: it may become the sshd. Without, nothing is changed. It comes
 * last: a shell that reads its script by lines, as bash does, leaves what would follow to the sshd, as its client's words.
 */
export function surveyScript(install: string | null): string {
  return `
PATH=${ROOT_PATH}
sshd=$(command -v sshd) && echo "sshd $sshd"
uid=
while [ "$uid" != Uid: ] && read -r uid _ number _; do :; done 2>/dev/null </proc/$$/status
[ "$uid" = Uid: ] && uid=$number || uid=$(id -u 2>/dev/null)
echo "uid $uid"
${
  install === null
    ? STAND_IN_SURVEY
    : `if [ -z "$sshd" ]; then
${STAND_IN_SURVEY}
fi`
}
echo "passwd"
while IFS= read -r line; do printf '%s\\n' "$line"; done </etc/passwd
${install === null ? 'exit 0\n' : `[ -n "$sshd" ] || exit 0\n${install}`}`;
}

/** What only the stand-in needs to know. */
const STAND_IN_SURVEY = `p=$(command -v setpriv) && case $("$p" --help 2>&1) in *--init-groups*) echo "setpriv $p";; esac
p=$(command -v perl) && echo "perl $p"
echo "groups $(id -G "$1" 2>/dev/null)"`;

/** What an image has for sessions. */
export interface Survey {
  readonly sshd: string | null;
  /** A setpriv(1) that knows --init-groups, where it was looked for. */
  readonly setpriv: string | null;
  /** A perl(1), where it was looked for. */
  readonly perl: string | null;
  /** Whether it can be entered as root. */
  readonly root: boolean;
  /** Numbers of the groups of who will log in first; empty where nobody tells. */
  readonly groups: readonly number[];
  /** The text of its passwd(5). */
  readonly passwd: string;
}

/** Reads what {@link surveyScript} printed; null where it did not come to its end. Pure. */
export function parseSurvey(output: string): Survey | null {
  const cut = /^passwd$/m.exec(output)?.index;
  if (cut === undefined) return null;
  const head = output.slice(0, cut);
  const values = new Map(
    head.split('\n').map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(0, space), line.slice(space + 1)] as const;
    }),
  );
  return {
    sshd: values.get('sshd') ?? null,
    setpriv: values.get('setpriv') ?? null,
    perl: values.get('perl') ?? null,
    root: values.get('uid') === '0',
    groups: numbersIn(values.get('groups') ?? ''),
    passwd: output.slice(cut + 'passwd\n'.length),
  };
}

/** The numbers that id(1) printed in a line. Pure. */
export function numbersIn(line: string): number[] {
  return line.trim() === '' ? [] : line.trim().split(' ').map(Number).filter(Number.isSafeInteger);
}

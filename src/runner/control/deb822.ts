import { BadPackageError } from '../errors.ts';

/** A field as it stands in the file; `value` has its folded lines joined by single spaces. */
export interface Field {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

/** One stanza. Field names are compared without regard to case, so the keys are in lower case. */
export interface Stanza {
  readonly line: number;
  readonly fields: ReadonlyMap<string, Field>;
}

/** deb822(5): printable US-ASCII without the colon, and neither `#` nor `-` at the start. */
const FIELD = /^([!"$-,.-9;-~][!-9;-~]*)[ \t]*:(.*)$/;

/**
 * Parses a control file (deb822(5)). As in DEP-8, `#` starts a comment anywhere in a line; a line with nothing
 * else on it is as if it were not there, so it does not end a stanza.
 * @param file name for messages
 * @throws BadPackageError naming the file and the line, for a line that has a NUL or is neither a field nor its
 *   continuation, and for a field that stands twice in a stanza: dpkg-source refuses both
 */
export function parseDeb822(text: string, file: string): Stanza[] {
  const stanzas: Stanza[] = [];
  let fields: Map<string, Field> | null = null;
  let last: string | null = null;

  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = index + 1;
    const content = withoutComment(raw.replace(/\r$/, ''));
    if (content === null) continue;
    // No name of a file and no argument can hold it.
    if (content.includes('\0')) throw new BadPackageError('this line has a NUL character', file, line);
    if (content.trim() === '') {
      fields = null;
      last = null;
      continue;
    }
    if (/^[ \t]/.test(content)) {
      if (fields === null || last === null)
        throw new BadPackageError('a continuation line without a field before it', file, line);
      const field = fields.get(last);
      if (field) fields.set(last, { ...field, value: `${field.value} ${content.trim()}`.trimStart() });
      continue;
    }
    const match = FIELD.exec(content);
    if (!match)
      throw new BadPackageError(`expected "Field: value", found ${JSON.stringify(content.slice(0, 60))}`, file, line);
    const [, name = '', value = ''] = match;
    if (fields === null) {
      fields = new Map();
      stanzas.push({ line, fields });
    }
    last = name.toLowerCase();
    const earlier = fields.get(last);
    if (earlier)
      throw new BadPackageError(`field ${name} stands twice in a stanza, first on line ${earlier.line}`, file, line);
    fields.set(last, { name, value: value.trim(), line });
  }
  return stanzas;
}

/** Null for a line that is only a comment. */
function withoutComment(line: string): string | null {
  const start = line.indexOf('#');
  if (start === -1) return line;
  const rest = line.slice(0, start);
  return rest.trim() === '' ? null : rest;
}

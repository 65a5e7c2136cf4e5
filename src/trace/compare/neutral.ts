/**
 * Takes out of a text what differs from run to run and means nothing: ids of runs, names made by mktemp, numbers of
 * processes, times. Pure.
 */
export function neutral(text: string, run: string): string {
  return text
    .replaceAll(run, 'RUN')
    .replaceAll(/\b(autopkgtest|tmp)\.[A-Za-z0-9]{6,10}\b/g, '$1.XXXXXX')
    .replaceAll(/\b(trundle-[a-z]+)-[A-Za-z0-9]{6}\b/g, '$1-XXXXXX');
}

/** What a console's colours are made of (ECMA-48, CSI). */
const COLOURS = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g');

/** The same for a line of a console: the kernel's and the journal's times and process numbers go too. Pure. */
export function neutralLine(line: string, run: string): string {
  return neutral(line, run)
    .replaceAll(COLOURS, '')
    .replace(/^\[\s*\d+\.\d+\]\s*/, '')
    .replace(/^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d /, '')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z| ?[+-]\d\d:?\d\d)?/g, 'TIME')
    .replaceAll(/\[\d+\]/g, '[N]')
    .replaceAll(/\bpid[ =]\d+/g, 'pid N')
    .replaceAll(/\b\d+(?:\.\d+)?m?s\b/g, 'N s')
    .replaceAll(/0x[0-9a-f]{6,}/g, '0xN')
    .trimEnd();
}

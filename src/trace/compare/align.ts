/** Beyond so many pairs to look at, what lies between the two ends is taken as wholly different. */
const MOST = 4_000_000;

/** Pairs of places at which two lists hold the same, in order, as many as there can be. Pure. */
export function align(a: readonly string[], b: readonly string[]): [number, number][] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const pairs: [number, number][] = [];
  for (let at = 0; at < head; at++) pairs.push([at, at]);
  pairs.push(...middle(a, b, head, a.length - tail, b.length - tail));
  for (let at = tail; at > 0; at--) pairs.push([a.length - at, b.length - at]);
  return pairs;
}

/** The longest common subsequence of what lies between the ends that are the same. */
function middle(
  a: readonly string[],
  b: readonly string[],
  from: number,
  aTo: number,
  bTo: number,
): [number, number][] {
  const [rows, columns] = [aTo - from, bTo - from];
  if (rows === 0 || columns === 0 || rows * columns > MOST) return [];
  const width = columns + 1;
  const longest = new Uint32Array((rows + 1) * width);
  const at = (row: number, column: number) => longest[row * width + column] as number;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      longest[row * width + column] =
        a[from + row] === b[from + column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (a[from + row] === b[from + column]) pairs.push([from + row++, from + column++]);
    else if (at(row + 1, column) >= at(row, column + 1)) row++;
    else column++;
  }
  return pairs;
}

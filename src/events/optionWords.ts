/** What is asked of an option of commander's. */
interface OptionForms {
  readonly long?: string | undefined;
  readonly short?: string | undefined;
  /** Whether it takes a word. */
  readonly required: boolean;
}

/**
 * The words with each that is an option changed. Values of options are left alone, and so is all from `--` on, or from
 * the first operand where what follows that is somebody else's. Pure where `change` is.
 * @param change gives what is to stand for an option, with its value where that is in the same word
 */
export function mapOptions(
  words: readonly string[],
  { options }: { readonly options: readonly OptionForms[] },
  { endsAtOperand }: { endsAtOperand: boolean },
  change: (option: string) => string,
): string[] {
  const takesWord = (form: string) =>
    options.some(({ long, short, required }) => required && (form === long || form === short));
  let isValue = false;
  let isOver = false;
  return words.map((word) => {
    const wasValue = isValue;
    isValue = false;
    isOver ||= !wasValue && (word === '--' || (endsAtOperand && !word.startsWith('-')));
    if (isOver || wasValue || !word.startsWith('-')) return word;
    const option = change(word);
    // Of letters in a row the first that takes a word has the rest of them, or the word that follows.
    const at = option.startsWith('--')
      ? -1
      : [...option].findIndex((letter, index) => index > 0 && takesWord(`-${letter}`));
    isValue = at === -1 ? takesWord(option) : at === option.length - 1;
    return option;
  });
}

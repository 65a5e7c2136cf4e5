import { Argument, Command, CommanderError, Option } from 'commander';
import * as z from 'zod';
import { nearestOption } from '../events/index.ts';
import type { Backend } from './contract.ts';
import { BackendOptionError } from './errors.ts';

/** What a zod type is on the command line. */
interface Shape {
  readonly kind: 'flag' | 'value' | 'list';
  readonly choices: readonly string[] | null;
  readonly placeholder: string;
  readonly description: string;
}

/**
 * The command-line parser of a backend's options, made from its schema: camelCase keys become --kebab-case options,
 * booleans flags (with a --no- form), arrays options that may be repeated, descriptions help texts.
 */
export function parserOf(backend: Backend): Command {
  const command = new Command(backend.name)
    .usage(usageOf(backend))
    .description(backend.summary)
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .allowExcessArguments(false)
    .passThroughOptions(backend.help?.passThrough ?? false);
  const positional = backend.help?.positional ?? [];
  for (const [key, type] of Object.entries(backend.options.shape)) {
    const shape = shapeOf(type as z.ZodType);
    if (positional.includes(key)) {
      const argument = new Argument(
        shape.kind === 'list' ? `[${kebab(key)}...]` : `[${kebab(key)}]`,
        shape.description,
      );
      command.addArgument(argument);
    } else for (const option of optionsFor(key, shape, backend.help?.short?.[key])) command.addOption(option);
  }
  return command;
}

function optionsFor(key: string, shape: Shape, short: string | undefined): Option[] {
  const letter = short === undefined ? '' : `-${short}, `;
  if (shape.kind === 'flag') {
    return [new Option(`${letter}--${kebab(key)}`, shape.description), new Option(`--no-${kebab(key)}`).hideHelp()];
  }
  const option = new Option(`${letter}--${kebab(key)} <${shape.placeholder}>`, shape.description);
  if (shape.choices !== null) option.choices([...shape.choices]);
  if (shape.kind === 'list')
    option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  return [option];
}

function shapeOf(type: z.ZodType): Shape {
  const description = type.description ?? z.globalRegistry.get(type)?.description ?? '';
  const inner = unwrap(type);
  const text = description === '' ? (inner.description ?? '') : description;
  if (inner instanceof z.ZodBoolean) return { kind: 'flag', choices: null, placeholder: '', description: text };
  if (inner instanceof z.ZodArray) {
    const element = shapeOf(inner.element as z.ZodType);
    return { ...element, kind: 'list', description: text === '' ? element.description : text };
  }
  if (inner instanceof z.ZodEnum) {
    return { kind: 'value', choices: inner.options.map(String), placeholder: 'word', description: text };
  }
  const placeholder = inner instanceof z.ZodNumber ? 'number' : 'text';
  return { kind: 'value', choices: null, placeholder, description: text };
}

function unwrap(type: z.ZodType): z.ZodType {
  if (type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodNullable) {
    return unwrap(type.unwrap() as z.ZodType);
  }
  if (type instanceof z.ZodPipe) return unwrap(type.in as z.ZodType);
  return type;
}

/** Whether a number is wanted, also inside a list. */
function isNumeric(type: z.ZodType): boolean {
  const inner = unwrap(type);
  if (inner instanceof z.ZodArray) return isNumeric(inner.element as z.ZodType);
  return inner instanceof z.ZodNumber;
}

/**
 * Reads the words after a backend's name.
 * @throws BackendOptionError that names the option and, for an unknown one, the nearest that exists
 */
export function parseOptions<S extends z.ZodObject>(backend: Backend<S>, words: readonly string[]): z.output<S> {
  const command = parserOf(backend as unknown as Backend);
  try {
    command.parse(joinPairs(backend, words), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw refusal(backend as unknown as Backend, command, error);
  }
  const raw: Record<string, unknown> = { ...command.opts() };
  (backend.help?.positional ?? []).forEach((key, index) => {
    const value = command.processedArgs[index] as unknown;
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) raw[key] = value;
  });
  for (const [key, type] of Object.entries(backend.options.shape)) {
    if (raw[key] !== undefined && isNumeric(type as z.ZodType)) raw[key] = numbers(raw[key]);
  }
  const parsed = backend.options.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue?.path[0] === undefined ? null : String(issue.path[0]);
  const isPositional = key !== null && (backend.help?.positional ?? []).includes(key);
  const option = key === null ? null : isPositional ? kebab(key).toUpperCase() : `--${kebab(key)}`;
  const what = key === null || issue === undefined ? issue?.message : complaint(issue, raw[key]);
  throw new BackendOptionError(backend.name, [backend.name, option, what].filter(Boolean).join(': '), option);
}

/** What commander complains of, with the option that is to blame, and what would do. Pure. */
function refusal({ name, help }: Backend, command: Command, error: CommanderError): BackendOptionError {
  const message = error.message.replace(/^error: /, '');
  // commander quotes the option as it was given, or all of its forms: '-p, --port <number>'.
  const option = /option '(?:-\w, )?(-[\w-]*)/.exec(message)?.[1] ?? null;
  const excess = error.code === 'commander.excessArguments' ? `\n(See: trundle backends ${name})` : '';
  if (option === null || error.code !== 'commander.unknownOption')
    return new BackendOptionError(name, `${name}: ${message}${excess}`, option);
  const [, why] = Object.entries(help?.refused ?? {}).find(([forms]) => forms.split(', ').includes(option)) ?? [];
  if (why !== undefined) return new BackendOptionError(name, `${name}: ${option}: ${why}`, option);
  const like = option.startsWith('--')
    ? nearestOption(option, ['--help', ...command.options.flatMap(({ long }) => long ?? [])])
    : null;
  const hint = like === null ? '' : `\n(Did you mean ${like}?)`;
  // Without a value that it may have: that may be a secret.
  return new BackendOptionError(name, `${name}: unknown option '${option}'${hint}`, option);
}

/** The words with each value that came in two words as one. Pure. */
function joinPairs({ help }: Pick<Backend, 'help'>, words: readonly string[]): string[] {
  const forms = (help?.pairs ?? []).flatMap((key) => {
    const letter = help?.short?.[key];
    return letter === undefined ? [`--${kebab(key)}`] : [`--${kebab(key)}`, `-${letter}`];
  });
  const joined: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const [word = '', first, second] = words.slice(index);
    joined.push(word);
    if (!forms.includes(word) || first === undefined || second === undefined) continue;
    if (first.includes(':') || second.startsWith('-')) continue;
    joined.push(`${first}:${second}`);
    index += 2;
  }
  return joined;
}

/** What is wrong with an option, without its value, which may be a secret. Pure. */
function complaint(issue: z.core.$ZodIssue, given: unknown): string {
  if (issue.code !== 'invalid_type') return issue.message;
  const wanted = { int: 'a whole number', number: 'a number', boolean: 'true or false' };
  return given === undefined
    ? 'it must be given'
    : `it must be ${wanted[issue.expected as keyof typeof wanted] ?? issue.expected}`;
}

/** The help text of a backend's options. */
export function backendHelp(backend: Backend): string {
  return parserOf(backend).helpInformation();
}

function usageOf(backend: Backend): string {
  const positional = (backend.help?.positional ?? []).map((key) => `[${kebab(key)}]`);
  return ['[options]', ...positional].join(' ');
}

function numbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numbers);
  // An empty or odd word stays what it is, for the schema to complain about.
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

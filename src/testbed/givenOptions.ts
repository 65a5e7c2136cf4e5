import { Readable } from 'node:stream';
import type { ConfiguredBackend } from '../backends/index.ts';
import { DEADLINES, didYouMean } from '../events/index.ts';
import type { CopyOptions, ExecOptions, OpenOptions, ShellOptions, Testbed } from './contract.ts';
import {
  abortSignal,
  above0,
  callback,
  flag,
  fromOne,
  hidden,
  isObject,
  type Kinds,
  kind,
  mustBe,
  mustHave,
  object,
  orNull,
  path,
  type Refuse,
  readable,
  text,
  texts,
  variables,
  wholeNumber,
  writable,
} from './given.ts';
import type { OpenTestbedOptions } from './openTestbed.ts';
import type { RunOptions } from './runContract.ts';

/** Terminals of more cannot be told of (RFC 4254, section 6.2, and what programs take). */
const cells = wholeNumber(0, 65_535);
const SIZE: Kinds<ShellOptions['size']> = { columns: cells, rows: cells };
const PTY: Kinds<NonNullable<ExecOptions['pty']>> = { ...SIZE, term: text };

const EXEC: Kinds<ExecOptions> = {
  login: text,
  timeout: above0('a number of milliseconds above 0 (for no limit, leave it out)'),
  stdin: kind(
    'a Readable of node:stream, a Uint8Array or a string',
    (value) => value instanceof Readable || value instanceof Uint8Array || typeof value === 'string',
  ),
  sweep: flag,
  sweepBy: callback,
  drain: kind('a number of milliseconds', (value) => Number.isFinite(value) && (value as number) >= 0),
  signal: abortSignal,
  secrets: hidden(texts),
  env: variables,
  cwd: text,
  pty: object,
  shell: flag,
};

const COPY: Kinds<CopyOptions> = {
  login: text,
  owners: flag,
  readable: flag,
  signal: abortSignal,
  onProgress: callback,
  onLeftOut: callback,
};

const SHELL: Kinds<ShellOptions> = {
  stdin: readable,
  stdout: writable,
  size: object,
  resizes$: kind('an Observable', (value) => isObject(value) && typeof value.subscribe === 'function'),
  term: text,
  login: text,
  env: variables,
  cwd: text,
  line: text,
  signal: abortSignal,
};

const OPEN: Kinds<OpenOptions> = {
  deadlines: object,
  maxConnections: fromOne,
  signal: abortSignal,
  package: text,
  onClosed: callback,
};

const RUN: Kinds<RunOptions> = {
  trace: orNull(path),
  // It is part of the names of files.
  id: kind('letters, digits, dots and dashes', (value) => typeof value === 'string' && /^\w[\w.-]*$/.test(value)),
  clock: kind(
    'a Clock',
    (value) => isObject(value) && ['now', 'after', 'clear'].every((name) => typeof value[name] === 'function'),
  ),
  randomBytes: callback,
  secrets: hidden(texts),
  log: callback,
};

/** @throws TypeError that names what no command can be made of */
export function checkCommand(place: string, command: unknown, options: unknown): void {
  if (Array.isArray(command)) {
    for (const [index, word] of command.entries()) mustBe(`${place}: command[${index}]`, word, text);
  } else mustBe(`${place}: command`, command, kind('an array of strings, or a line for sh', isText));
  mustHave(`${place}: options`, options, EXEC);
  const { env, pty } = options as ExecOptions;
  if (env !== undefined) checkVariables(`${place}: options.env`, env);
  if (pty !== undefined) mustAll(`${place}: options.pty`, pty, PTY);
}

/** @throws TypeError */
export function checkCopy(place: string, from: unknown, to: unknown, options: unknown): void {
  mustBe(`${place}: from`, from, text);
  mustBe(`${place}: to`, to, text);
  mustHave(`${place}: options`, options, COPY);
}

/** @throws TypeError */
export function checkShell(options: unknown): void {
  mustHave('shell: options', options, SHELL);
  const { stdin, stdout, size, env } = options as ShellOptions;
  mustBe('shell: options.stdin', stdin, readable);
  mustBe('shell: options.stdout', stdout, writable);
  mustAll('shell: options.size', size, SIZE);
  if (env !== undefined) checkVariables('shell: options.env', env);
}

/** @throws TypeError */
export function checkForward(...[direction, listen, connect, options]: Parameters<Testbed['forward']>): void {
  mustBe(
    'forward: direction',
    direction,
    kind('"local" or "remote"', (value) => value === 'local' || value === 'remote'),
  );
  const host = kind('the name or address of a host', (value) => isText(value) && value !== '');
  mustAll('forward: listen', listen, { host, port: wholeNumber(0, 65_535) });
  mustAll('forward: connect', connect, { host, port: wholeNumber(1, 65_535) });
  mustHave('forward: options', options, { signal: abortSignal });
}

/** @throws TypeError */
export function checkReboot(place: string, options: unknown): void {
  mustHave(`${place}: options`, options, { signal: abortSignal, line: text });
}

/** @throws TypeError */
export function checkClose(options: unknown): void {
  mustHave('close: options', options, { force: flag, keep: flag, reason: text });
}

/** @throws what `refuse` makes of it */
export function checkBackend(place: string, backend: unknown, refuse?: Refuse): void {
  const isOne = (value: unknown) =>
    isObject(value) && typeof (value as Partial<ConfiguredBackend>).open === 'function' && Array.isArray(value.words);
  mustBe(place, backend, kind('a backend, as configureBackend() gives it', isOne), refuse);
}

/** @throws what `refuse` makes of it */
export function checkOpen(place: string, options: unknown, refuse: Refuse = (message) => new TypeError(message)): void {
  mustHave(place, options, OPEN, refuse);
  const { deadlines = {} } = options as OpenOptions;
  const names = Object.keys(DEADLINES);
  const limit = kind('a number of milliseconds', (value) => Number.isFinite(value) && (value as number) >= 0);
  for (const [name, ms] of Object.entries(deadlines)) {
    if (!names.includes(name))
      throw refuse(
        `${place}.deadlines: there is no deadline "${name}".${didYouMean(name, names)} Names: ${names.join(', ')}`,
      );
    if (ms !== undefined) mustBe(`${place}.deadlines.${name}`, ms, limit, refuse);
  }
}

/** @throws TypeError */
export function checkOpenTestbed(backend: unknown, options: unknown): void {
  checkBackend('openTestbed: backend', backend);
  checkOpen('openTestbed: options', options);
  const kinds: Kinds<Omit<OpenTestbedOptions, keyof OpenOptions>> = { ...RUN, onRun: callback };
  mustHave('openTestbed: options', options, kinds);
}

/** @throws TypeError */
export function checkRun(options: unknown): void {
  mustHave('createRun: options', options, RUN);
  mustBe('createRun: options.trace', (options as RunOptions).trace, RUN.trace);
}

/** All of an object's members have to be there. */
function mustAll<Options>(place: string, given: unknown, kinds: Kinds<Options>): void {
  mustBe(place, given, object);
  for (const [name, of] of Object.entries<typeof text>(kinds))
    mustBe(`${place}.${name}`, (given as Record<string, unknown>)[name], of);
}

/** A variable that is not set is left out; the word "undefined" is nobody's wish. */
function checkVariables(place: string, env: object): void {
  for (const [name, value] of Object.entries(env)) mustBe(`${place}.${name}`, value, hidden(text));
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

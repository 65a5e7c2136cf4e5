import type * as z from 'zod';
import { EVENT_VERSION, type EventType } from '../../src/events/index.ts';
import { backendSchemas, resourceSchemas } from '../../src/events/schemas/backend.ts';
import { commandSchemas, copySchemas } from '../../src/events/schemas/command.ts';
import {
  authMethodSchema,
  capabilitySchema,
  causeClassSchema,
  causeSchema,
  commandResultSchema,
  endpointSchema,
  failureSchema,
  lossSchema,
  originSchema,
  phaseSchema,
} from '../../src/events/schemas/common.ts';
import { connectionSchemas, rebootSchemas } from '../../src/events/schemas/connection.ts';
import { eventSchemas } from '../../src/events/schemas/index.ts';
import { outcomeSchema, runSchemas, surroundingSchemas, testbedSchemas } from '../../src/events/schemas/run.ts';
import { MACHINES } from '../../src/machines/index.ts';
import { MEANINGS } from './meanings.ts';
import { type Page, table } from './page.ts';

const GROUPS: readonly (readonly [title: string, schemas: Record<string, z.ZodObject>])[] = [
  ['The testbed', testbedSchemas],
  ['The backend', backendSchemas],
  ['Resources', resourceSchemas],
  ['Connections', connectionSchemas],
  ['Reboots', rebootSchemas],
  ['Commands', commandSchemas],
  ['Copies', copySchemas],
  ['Runs', runSchemas],
  ['Around the machines', surroundingSchemas],
];

/** Shapes that several events share: named in the tables, spelled out once below them. */
const SHARED: readonly (readonly [name: string, schema: z.ZodType, text: string])[] = [
  ['Cause', causeSchema, 'Why something failed; `evidence` are the `seq` of the events that prove it.'],
  ['CauseClass', causeClassSchema, '[causes.md](causes.md) explains each.'],
  ['Phase', phaseSchema, "Where in a testbed's life."],
  ['Failure', failureSchema, 'What a system call or a program said.'],
  ['Result', commandResultSchema, 'The end of a command.'],
  ['Loss', lossSchema, 'How a byte stream ended, or why there never was one.'],
  ['Endpoint', endpointSchema, 'How the driver reaches the SSH server. Nothing in it is secret.'],
  ['Capability', capabilitySchema, "In autopkgtest's words."],
  ['AuthMethod', authMethodSchema, 'A way to prove who we are; never the proof itself.'],
  ['Outcome', outcomeSchema, 'How a test ended.'],
];

/** What a schema knows of itself, as far as its type has it. */
interface Definition {
  readonly type: string;
  readonly innerType: z.ZodType;
  readonly element: z.ZodType;
  readonly keyType: z.ZodType;
  readonly valueType: z.ZodType;
  readonly options: readonly z.ZodType[];
  readonly entries: Readonly<Record<string, string>>;
  readonly values: readonly string[];
}

/** The type of a schema as one would write it in TypeScript. */
function typeOf(schema: z.ZodType, spellOut = false): string {
  const shared = SHARED.find(([, each]) => each === schema);
  if (shared !== undefined && !spellOut) return shared[0];
  const { def } = schema as unknown as { def: Definition };
  switch (def.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return def.type;
    case 'nullable':
      return `${typeOf(def.innerType)} | null`;
    case 'optional':
      return typeOf(def.innerType);
    case 'array':
      return `${typeOf(def.element)}[]`;
    case 'record':
      return `Record<${typeOf(def.keyType)}, ${typeOf(def.valueType)}>`;
    case 'enum':
      return quoted(Object.values(def.entries));
    case 'literal':
      return quoted(def.values);
    case 'union':
      return def.options.map((option) => typeOf(option)).join(' | ');
    case 'object':
      return `{ ${fieldsOf(schema as z.ZodObject).join('; ')} }`;
    default:
      throw new Error(`no words for a schema of type ${def.type}: add them to scripts/docs/events.ts`);
  }
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(' | ');
}

function fieldsOf(schema: z.ZodObject): string[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const optional = (field as z.ZodType).def.type === 'optional';
    return `${name}${optional ? '?' : ''}: ${typeOf(field as z.ZodType)}`;
  });
}

function heardBy(type: string): string {
  const kinds = Object.entries(MACHINES).filter(([, { alphabet }]) => (alphabet as readonly string[]).includes(type));
  return kinds.map(([kind]) => kind).join(', ');
}

function group([title, schemas]: (typeof GROUPS)[number]): string {
  const rows = Object.entries(schemas).map(([type, schema]) => [
    `\`${type}\``,
    MEANINGS[type as EventType],
    fieldsOf(schema)
      .map((field) => `\`${field}\``)
      .join(', '),
    heardBy(type),
  ]);
  return `## ${title}\n\n${table(['event', 'what it says', 'data', 'machines that hear it'], rows)}`;
}

/** The whole vocabulary, from the schemas and the alphabets of the machines. @throws Error for an event in no group */
export function eventsPage(): Page {
  const grouped = new Set(GROUPS.flatMap(([, schemas]) => Object.keys(schemas)));
  const missing = Object.keys(eventSchemas).filter((type) => !grouped.has(type));
  if (missing.length > 0) throw new Error(`in no group of docs/events.md: ${missing.join(', ')}`);
  const shared = SHARED.map(([name, schema, text]) => `**${name}**: ${text}\n\`${typeOf(schema, true)}\``);
  const origins = originSchema.options.map((origin) => `\`${origin}\``).join(', ');
  const text = [introduction(origins), ...GROUPS.map(group), `## Shared shapes\n\n${shared.join('\n\n')}\n`].join(
    '\n\n',
  );
  return { file: 'events.md', text };
}

function introduction(origins: string): string {
  return `# Events

Every fact that can happen in a run is one of these events. They are the lines of a [trace](trace-format.md), what
\`trundle run --json\` prints, and what \`events$\` of the library gives. Each has the same envelope:

    {"v":${EVENT_VERSION},"seq":16,"at":380.34,"run":"99709d399d","testbed":"tb1","from":"driver","type":"auth.accepted",...}

\`seq\` is its place in the trace, from 1 and without gaps. \`at\` is milliseconds since the trace was opened, on a clock
that never jumps. \`testbed\` is null for what concerns the run as a whole. \`from\` is who saw it:
${origins}.

Events that no machine hears are there for people, and for whoever reads the trace.

This page is made by \`npm run docs\` from src/events/schemas and src/machines.`;
}

import fc from 'fast-check';
import type * as z from 'zod';
import { EVENT_VERSION, type EventType, type TrundleEvent } from '../../../src/events/index.ts';
import { originSchema } from '../../../src/events/schemas/common.ts';
import { eventSchemas } from '../../../src/events/schemas/index.ts';

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
  readonly shape: Readonly<Record<string, z.ZodType>>;
}

export function definitionOf(schema: z.ZodType): Definition {
  return schema.def as unknown as Definition;
}

/** Any value that a schema accepts, made from the schema itself. */
export function accepted(schema: z.ZodType): fc.Arbitrary<unknown> {
  const def = definitionOf(schema);
  switch (def.type) {
    case 'string':
      return fc.string({ unit: 'binary' });
    case 'number':
      return schema.safeParse(0.5).success
        ? fc.double({ noNaN: true, noDefaultInfinity: true })
        : fc.integer({ min: -1e9, max: 1e9 });
    case 'boolean':
      return fc.boolean();
    case 'nullable':
      return fc.option(accepted(def.innerType), { nil: null });
    case 'optional':
      return accepted(def.innerType);
    case 'array':
      return fc.array(accepted(def.element), { maxLength: 3 });
    case 'record':
      return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), accepted(def.valueType), { noNullPrototype: true });
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries));
    case 'literal':
      return fc.constantFrom(...def.values);
    case 'union':
      return fc.oneof(...def.options.map(accepted));
    case 'object': {
      const required = Object.keys(def.shape).filter((key) => !isOptional(def.shape[key]));
      const fields = Object.fromEntries(Object.entries(def.shape).map(([key, field]) => [key, accepted(field)]));
      return fc.record(fields, { requiredKeys: required, noNullPrototype: true });
    }
    default:
      throw new Error(`no values are known for a schema of type ${def.type}`);
  }
}

export function isOptional(schema: z.ZodType | undefined): boolean {
  return schema !== undefined && definitionOf(schema).type === 'optional';
}

/** Any event of a type. */
export function eventOf(type: EventType): fc.Arbitrary<TrundleEvent> {
  const envelope = fc.record(
    {
      v: fc.constant(EVENT_VERSION),
      seq: fc.integer({ min: 1 }),
      at: fc.double({ min: 0, max: 1e9, noNaN: true }),
      run: fc.string(),
      testbed: fc.option(fc.string(), { nil: null }),
      from: fc.constantFrom(...originSchema.options),
      type: fc.constant(type),
    },
    { noNullPrototype: true },
  );
  return fc
    .tuple(envelope, accepted(eventSchemas[type]))
    .map(([about, data]) => ({ ...about, ...(data as object) }) as unknown as TrundleEvent);
}

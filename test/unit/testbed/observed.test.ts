import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventSchemas } from '../../../src/events/schemas/index.ts';
import { OBSERVATIONS, observationOf } from '../../../src/testbed/observed.ts';
import { accepted } from '../events/arbitrary.ts';

/** What a field of an observation may be by mistake. */
const odd = fc.oneof(
  ...[fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.array(fc.oneof(fc.string(), fc.integer()))],
);

test.each(Object.keys(OBSERVATIONS) as (keyof typeof OBSERVATIONS)[])(
  '%s may hold just what its schema says',
  (type) => {
    const schema = eventSchemas[type];
    const right = accepted(schema) as fc.Arbitrary<object>;
    fc.assert(
      fc.property(right, (data) => {
        expect(observationOf({ type, ...data })).toEqual({ type, ...data });
      }),
    );
    const names = fc.constantFrom(...Object.keys(schema.shape));
    fc.assert(
      fc.property(right, names, odd, (data, name, value) => {
        const told = { ...data, [name]: value };
        if (schema.safeParse(told).success) expect(observationOf({ type, ...told })).toEqual({ type, ...told });
        else expect(() => observationOf({ type, ...told })).toThrow(TypeError);
      }),
    );
  },
);

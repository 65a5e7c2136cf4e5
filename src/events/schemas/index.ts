import { backendSchemas, resourceSchemas } from './backend.ts';
import { commandSchemas, copySchemas } from './command.ts';
import { connectionSchemas, rebootSchemas } from './connection.ts';
import { runSchemas, surroundingSchemas, testbedSchemas } from './run.ts';

/** Every event type with the schema of its data: the whole vocabulary. */
export const eventSchemas = {
  ...testbedSchemas,
  ...backendSchemas,
  ...resourceSchemas,
  ...connectionSchemas,
  ...rebootSchemas,
  ...commandSchemas,
  ...copySchemas,
  ...runSchemas,
  ...surroundingSchemas,
};

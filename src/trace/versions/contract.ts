/** Anything JSON calls an object. */
export type JsonObject = Record<string, unknown>;

/** Makes of a line of an older version one of a later. Must not change what it is given. */
export type LineUpgrade = (line: JsonObject) => JsonObject;

/** Makes of a trace of one version of the format one of the next. */
export interface Upgrade {
  /** Pure. */
  header(header: JsonObject): JsonObject;
  /** For one reading, from the first line after the header on: what a line means may depend on those before it. */
  lines(): LineUpgrade;
}

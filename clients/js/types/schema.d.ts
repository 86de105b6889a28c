import type { components, operations } from "./api.js";

/** A type of the control API, by its name in the OpenAPI document. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** The query parameters of an operation, by the operation's id. */
export type Query<Id extends keyof operations> = NonNullable<operations[Id]["parameters"]["query"]>;

/** A type whose properties are all optional and may be `undefined`. */
export type Optional<Shape> = { [Key in keyof Shape]?: Shape[Key] | undefined };

import type { components, operations } from "./api.js";

/** A shape of the control API, by its name in the OpenAPI document. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** The parameters of an operation's query, by the operation's id. */
export type Query<Id extends keyof operations> = NonNullable<operations[Id]["parameters"]["query"]>;

/** A shape of which everything may be left out, also by `undefined`. */
export type Optional<Shape> = { [Key in keyof Shape]?: Shape[Key] | undefined };

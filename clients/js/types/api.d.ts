// Made from mockd's OpenAPI document by `npm run generate`.

export interface paths {
    "/__mockd/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Check the health of the server */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get this document */
        get: operations["getOpenapiJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/categories": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the scenario's name and categories */
        get: operations["getCategories"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/routes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the routes of the mock API */
        get: operations["getRoutes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/reload": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the result of the last save of the scenario */
        get: operations["getReload"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/state": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the current state of the world */
        get: operations["getState"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Set totals or data, all or none */
        patch: operations["patchState"];
        trace?: never;
    };
    "/__mockd/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Reset the world to the scenario's start: data, totals, products, clock, random streams, journal and snapshots; sockets of a shop stay open and receive the current orders */
        post: operations["postReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/clock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the clock */
        get: operations["getClock"];
        put?: never;
        /** Pause, resume, speed up or advance the clock. The answer comes once everything due has happened and has been written to the open sockets */
        post: operations["postClock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Place orders, all or none */
        post: operations["postOrders"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/steps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run steps, all or none. Delayed steps are scheduled in the world */
        post: operations["postSteps"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/transcript": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get every event since the start or the last reset, as JSON lines */
        get: operations["getTranscript"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/data": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a summary of the current `data` */
        get: operations["getData"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all categories with their products */
        get: operations["getProducts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/timeline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List scripts, generators and scheduled steps, with their progress */
        get: operations["getTimeline"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/snapshots": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the snapshots */
        get: operations["getSnapshots"];
        put?: never;
        /** Save a snapshot of the current state */
        post: operations["postSnapshots"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/snapshots/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Delete a snapshot */
        delete: operations["deleteSnapshotsName"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/snapshots/{name}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Restore a snapshot */
        post: operations["postSnapshotsNameRestore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/journal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what happened between the world and its clients, except what the built-in page fetches for itself */
        get: operations["getJournal"];
        put?: never;
        post?: never;
        /** Clear the journal */
        delete: operations["deleteJournal"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/journal/wait": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Wait for journal entries */
        post: operations["postJournalWait"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Check the journal against expectations */
        post: operations["postVerify"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/sockets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the open sockets and streams */
        get: operations["getSockets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/sockets/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close all sockets and end all streams */
        post: operations["postSocketsClose"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/sockets/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a frame to all sockets and streams */
        post: operations["postSocketsSend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/sockets/{socket}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Close a socket or end a stream */
        post: operations["postSocketsSocketClose"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/sockets/{socket}/send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a frame to a socket or stream */
        post: operations["postSocketsSocketSend"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/topics/{topic}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a frame to all members of a topic, as a step does */
        post: operations["postTopicsTopic"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/worlds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List all worlds */
        get: operations["getWorlds"];
        put?: never;
        /** Create a world */
        post: operations["postWorlds"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/worlds/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a world */
        get: operations["getWorldsName"];
        put?: never;
        post?: never;
        /** Remove a world and close its sockets */
        delete: operations["deleteWorldsName"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/faults": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the faults */
        get: operations["getFaults"];
        put?: never;
        /** Add a fault */
        post: operations["postFaults"];
        /** Remove all faults */
        delete: operations["deleteFaults"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/faults/{fault}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a fault by its number or name */
        get: operations["getFaultsFault"];
        /** Replace a fault */
        put: operations["putFaultsFault"];
        post?: never;
        /** Remove a fault */
        delete: operations["deleteFaultsFault"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/__mockd/scenarios": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the scenario files that mockd was started with, and which of them is served */
        get: operations["getScenarios"];
        put?: never;
        /** Switch all worlds to another of the scenario files and watch that file from then on. Open sockets and everything that is the same in both files stay. The answer comes after the switch and is that of `GET /__mockd/reload` */
        post: operations["postScenarios"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An error. */
        ErrorAnswer: {
            /**
             * Format: uint16
             * @description The status code.
             */
            statusCode: number;
            /** @description The status in words, such as `Not Found`. */
            error: string;
            /** @description The error message, which names the field that is wrong. */
            message: string;
            /** @description The field that is wrong, such as `orders[2].amount`. */
            field?: string | null;
            /** @description The problems of a scenario file that cannot be served, as `mockd check --format json` prints them. */
            problems?: unknown;
        };
        /** @description The health of the server. */
        HealthAnswer: {
            /**
             * @description `ok`, or `degraded` if the server cannot reach its store. A degraded server
             *     answers with what it has, but refuses changes.
             */
            status: components["schemas"]["Health"];
            /** @description The version of mockd. */
            version: string;
            /** @description Why the store cannot be reached; omitted if it can. */
            trouble?: string | null;
        };
        /**
         * @description The status of a server.
         * @enum {string}
         */
        Health: "ok" | "degraded";
        /** @description The scenario that is served. */
        CategoriesAnswer: {
            /** @description The name of the scenario. */
            scenario: string;
            /** @description The categories in declared order. */
            categories: components["schemas"]["CategoryAnswer"][];
        };
        /** @description A category. */
        CategoryAnswer: {
            /** @description The name of the category, which is also its path. */
            name: string;
            /** @description The prefix of the ids of added products. */
            prefix: string;
            /**
             * Format: uint
             * @description The number of products.
             */
            products: number;
        };
        /** @description The routes of the scenario. */
        RoutesAnswer: {
            /** @description The routes in declared order; the `websocket` endpoints come last. */
            routes: components["schemas"]["RouteAnswer"][];
        };
        /** @description A route. */
        RouteAnswer: {
            /** @description The method; `ANY` stands for every method without a route of its own at this path. */
            method: string;
            /**
             * @description The decoded path below the world's prefix, with its parameters in braces: `{name}` matches one segment,
             *     `{*name}` the rest.
             */
            path: string;
            /** @description The names of the parameters, in order. */
            parameters: string[];
            /** @description What the route does. */
            kind: components["schemas"]["RouteKind"];
            /** @description The collection or category that the route acts on, if any. */
            collection?: string | null;
            /** @description The key of the route, as shown in the journal; omitted for the routes of a shop. */
            route?: string | null;
        };
        /** @description What a route does. */
        RouteKind: "answer" | "stream" | "list" | "get" | "add" | "replace" | "merge" | "remove" | "order" | "socket";
        /** @description The result of the last save of the scenario file. */
        ReloadAnswer: {
            /** @description Whether mockd serves the current content of the file. */
            ok: boolean;
            /**
             * Format: uint64
             * @description The number of saves that were applied since the start.
             */
            count: number;
            /** @description What the last applied save changed in the default world: objects with `kind`, `text`, and fields of that kind. */
            changes: {
                [key: string]: unknown;
            }[];
            /**
             * Format: uint
             * @description The number of changes that are not listed because of `limit`.
             */
            more?: number | null;
            /** @description The warnings about a valid file, as `mockd check` prints them. */
            warnings?: string | null;
            /** @description Why the content of the file could not be applied; omitted if it could. */
            error?: string | null;
            /** @description The problems of the file, as `mockd check --format json` prints them. */
            problems?: unknown;
        };
        /** @description The state of a world at one moment. */
        StateAnswer: {
            /** @description The name of the world; paths without a prefix belong to the world `default`. */
            world: string;
            /** @description The scenario's name. */
            scenario: string;
            /**
             * Format: uint64
             * @description The seed of all random choices. A world or a mockd that starts with this seed makes the same choices again.
             */
            seed: number;
            /** @description The world's time since its start or last reset. */
            at: components["schemas"]["Duration"];
            /** @description Whether the clock is paused. */
            paused: boolean;
            /**
             * Format: double
             * @description The number of seconds that pass in the world per second of real time while the clock runs.
             */
            speed: number;
            /**
             * @description The world's time of the next scheduled item: a step of a script or a rule, a random order, or a timed message of
             *     a socket's protocol, such as a heartbeat. Null if nothing is scheduled.
             */
            nextDue?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description A number that grows with each reset and each restored snapshot. Events of different epochs do not form one
             *     sequence.
             */
            epoch: number;
            /**
             * Format: uint64
             * @description The number of the last event.
             */
            sequence: number;
            /** @description The categories in declared order. */
            categories: components["schemas"]["CategoryAnswer"][];
            /** @description Order totals by product id: all of them, or only those changed `since`. */
            totals: {
                [key: string]: number;
            };
            /** @description The current `data` by name: values, and the rows of collections. Omitted with `since`, and if there is no data. */
            data?: {
                [key: string]: unknown;
            } | null;
            /** @description The active faults. */
            faults: components["schemas"]["FaultAnswer"][];
            /**
             * Format: uint
             * @description The number of open sockets and streams.
             */
            sockets: number;
            /** @description The snapshots, sorted by name. */
            snapshots: components["schemas"]["SnapshotAnswer"][];
        };
        /**
         * @description A duration such as `250ms`, `1.5s` or `1h30m`.
         * @example 250ms
         * @example 10s
         * @example 1h30m
         */
        Duration: string;
        /** @description A fault. */
        FaultAnswer: {
            /**
             * Format: uint64
             * @description The number of the fault, from 1 in each world.
             */
            id: number;
            /** @description The name or number of the fault, as shown in messages and in the journal. */
            label: string;
            /** @description Where the fault comes from: `scenario`, `script` or `api`. */
            source: string;
            /** @description The phase of the fault: `waiting`, `active` or `over`. */
            phase: string;
            /** @description The world's time when the fault starts or started. */
            from: components["schemas"]["Duration"];
            /** @description The world's time when the fault ends; null if it does not end on its own. */
            until?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description The number of requests, handshakes or sockets that the fault could have hit so far.
             */
            matched: number;
            /**
             * Format: uint64
             * @description The number of those that the fault has hit.
             */
            hit: number;
            /** @description The fault as declared, in the scenario language. */
            fault: components["schemas"]["fault"];
            /** @description Warnings about a fault that was just added, such as that it can never match. */
            warnings?: string[];
        };
        /**
         * @description A fault to inject: what it hits (`on` and the keys that narrow it down), when, and exactly one effect. Its times
         *     count from the start of the world, or from the reload, step or request that added or changed it.
         * @example {
         *       "on": "http",
         *       "path": "/orders/*",
         *       "share": "20%",
         *       "status": 503
         *     }
         * @example {
         *       "on": "websocket",
         *       "from": "10s",
         *       "until": "20s",
         *       "freeze": true
         *     }
         */
        fault: {
            /**
             * @description The fault's name in messages, in the journal and in `/__mockd/faults`.
             * @example busy checkout
             */
            name?: string | null;
            /** @description What the fault hits. */
            on: components["schemas"]["on"] | null;
            /**
             * @description Only requests with this method. With `on: http`.
             * @example POST
             */
            method?: string | null;
            /**
             * @description Only requests with this path, without the world's prefix; `*` matches any characters. Without it, all API
             *     requests. With `on: stream`, only streams that answer a request for this path; with `on: websocket`, only
             *     sockets of an endpoint that were opened with this path.
             * @example /orders/*
             */
            path?: string | null;
            /**
             * @description Only requests for this category or one of its products, or only sockets that requested it last.
             * @example electronics
             */
            category?: string | null;
            /**
             * @description Only orders of this product, or only frames about it.
             * @example A1
             */
            product?: string | number | null;
            /**
             * @description Only frames or events of this topic; `*` matches any characters. With a fault that affects frames, such as
             *     `drop`.
             * @example room/*
             */
            topic?: string | null;
            /**
             * @description The share of requests, sockets or streams to hit.
             * @default 100%
             * @example 20%
             */
            share?: components["schemas"]["share"] | null;
            /**
             * @description The share of frames or events to hit on the affected sockets or streams. With `drop`, `duplicate` and `corrupt`.
             * @default 100%
             * @example 5%
             */
            chance?: components["schemas"]["share"] | null;
            /**
             * Format: int64
             * @description How many requests, sockets or streams to spare first.
             * @default 0
             * @example 3
             */
            skip?: number | null;
            /**
             * Format: int64
             * @description How many requests, sockets or streams to hit after `skip`. Without it, all of them.
             * @example 2
             */
            times?: number | null;
            /**
             * @description When the fault starts.
             * @default 0s
             */
            from?: components["schemas"]["duration"] | null;
            /**
             * @description When the fault ends. Without it, the fault never ends.
             * @example 1m
             */
            until?: components["schemas"]["duration"] | null;
            /**
             * @description Delays answers, frames or events by a fixed time or a random one. Frames and events keep their order. Those that
             *     are still delayed when the socket is closed are sent first.
             * @example 300ms
             * @example {
             *       "median": "90ms",
             *       "sigma": 0.5
             *     }
             */
            latency?: components["schemas"]["latency"] | null;
            /**
             * Format: int64
             * @description Answers requests with this status without processing them; refuses handshakes with it.
             * @example 503
             */
            status?: number | null;
            /**
             * @description The JSON body sent with `status`, instead of mockd's default.
             * @example {
             *       "error": "out of stock"
             *     }
             */
            body?: unknown;
            /**
             * @description The `retry-after` header sent with `status`, in whole seconds.
             * @example 2s
             */
            retryAfter?: components["schemas"]["duration"] | null;
            /**
             * @description Resets connections: those of requests before they are processed; those of sockets and streams when the fault
             *     starts, or after the number given by `after`.
             */
            reset?: boolean | null;
            /**
             * Format: int64
             * @description With `reset`: after this many bytes of an answer that is not a stream, frames of a socket, or events of a
             *     stream. With `close`: after this many frames.
             * @example 20
             */
            after?: number | null;
            /** @description Closes the connection without an answer. With `on: http`. */
            empty?: boolean | null;
            /**
             * Format: int64
             * @description Sends the body of an answer at this many bytes per second; streams are not affected. With `on: http`.
             * @example 100
             */
            bandwidth?: number | null;
            /** @description Cuts off the JSON of an answer; streams are not affected. With `on: http`. */
            malformed?: boolean | null;
            /**
             * @description Leaves requests unanswered and closes their connections after this time, or `never`. With `on: http`.
             * @example 30s
             * @example never
             */
            timeout?: components["schemas"]["timeout"] | null;
            /**
             * Format: int64
             * @description Declares an answer this many bytes longer than it is, or shorter if negative; streams, which declare no length,
             *     are not affected. With `on: http`.
             * @example 10
             */
            contentLength?: number | null;
            /**
             * @description Delays the answer to handshakes. With `on: websocket`.
             * @example 2s
             */
            connect?: components["schemas"]["latency"] | null;
            /**
             * Format: int64
             * @description Closes sockets with this code: those that are open when the fault starts or, with `after`, each socket after
             *     that many frames. With `on: websocket`.
             * @example 1011
             */
            close?: number | null;
            /** @description The reason sent with `close`, at most 123 bytes. */
            reason?: string | null;
            /**
             * @description Freezes sockets: they stay open, but mockd neither sends anything, not even pongs, nor reads anything. With
             *     `on: websocket`.
             */
            freeze?: boolean | null;
            /** @description Drops frames or events. With `on: websocket`, where the latest totals are sent afterwards, or `on: stream`. */
            drop?: boolean | null;
            /** @description Sends frames or events twice. With `on: websocket` or `on: stream`. */
            duplicate?: boolean | null;
            /**
             * Format: int64
             * @description Reorders frames in groups of this many: the last frame of each group comes first. With `on: websocket`.
             * @example 4
             */
            reorder?: number | null;
            /** @description Damages frames. With `on: websocket`. */
            corrupt?: components["schemas"]["corrupt"] | null;
            /**
             * @description Freezes totals at the values that they have when the fault first hits. With `on: websocket`, ideally with
             *     `product`.
             */
            stale?: boolean | null;
            /**
             * @description Closes all sockets with 1012 when the fault starts, and refuses handshakes with 503 for this long. With
             *     `on: websocket`.
             * @example 5s
             */
            storm?: components["schemas"]["duration"] | null;
            /** @description Reads what clients send, but ignores it. With `on: websocket`. */
            ignore?: boolean | null;
        };
        /** @description What a fault hits. */
        on: "http" | "websocket" | "stream";
        /**
         * @description A percentage from 0% to 100%.
         * @example 20%
         * @example 0.5%
         */
        share: string;
        /**
         * @description A duration in hours, minutes, seconds and smaller units (h, m, s, ms, us, ns), largest first; only the last number may have a fraction. At most 24000h.
         * @example 250ms
         * @example 1.5s
         * @example 2m
         * @example 1h30m
         */
        duration: string;
        /** @description A delay. */
        latency: components["schemas"]["spread"] | components["schemas"]["duration"];
        /**
         * @description A distribution of times: `min` and `max` (uniform), `mean` and `jitter` (uniform around it), `mean` and `deviation`
         *     (normal), or `median` and `sigma` (lognormal).
         */
        spread: {
            /** @description The shortest time. */
            min?: components["schemas"]["duration"] | null;
            /** @description The longest time. */
            max?: components["schemas"]["duration"] | null;
            /** @description The mean. */
            mean?: components["schemas"]["duration"] | null;
            /** @description How much shorter or longer than the mean a time may be. */
            jitter?: components["schemas"]["duration"] | null;
            /** @description The standard deviation. */
            deviation?: components["schemas"]["duration"] | null;
            /** @description The median. */
            median?: components["schemas"]["duration"] | null;
            /**
             * Format: double
             * @description The standard deviation of the logarithm: with 0.5, one time in ten is at least twice the median.
             * @example 0.5
             */
            sigma?: number | null;
        };
        /** @description How long a request stays unanswered. */
        timeout: "never" | components["schemas"]["duration"];
        /** @description How frames are damaged. */
        corrupt: "json" | "utf8" | "oversized" | "type";
        /** @description A saved state that can be restored. */
        SnapshotAnswer: {
            /** @description The name of the snapshot. */
            name: string;
            /** @description The world's time when it was saved. */
            at: components["schemas"]["Duration"];
        };
        /** @description The events that a request caused. */
        Happened: {
            /** @description The events in order, as in the transcript. */
            events: components["schemas"]["EventShape"][];
        };
        /** @description An event. */
        EventShape: {
            /** @description The world's time of the event. */
            at: components["schemas"]["Duration"];
            /**
             * Format: uint64
             * @description The number of the event, counted from 1 without gaps.
             */
            sequence: number;
            /** @description The kind of event. */
            event: components["schemas"]["EventName"];
            /** @description The id of the product, or of the row in a collection of `data`. */
            id?: unknown;
            /** @description The product's category. */
            category?: string | null;
            /** @description The row's collection. */
            collection?: string | null;
            /** @description The row after the change. */
            row?: {
                [key: string]: unknown;
            } | null;
            /** @description The name of a value of `data`. */
            name?: string | null;
            /** @description The new value. */
            value?: unknown;
            /** @description The topic that the frame was sent to. */
            topic?: string | null;
            /** @description The frame that was sent. */
            frame?: unknown;
            /**
             * Format: int64
             * @description The new total of the product.
             */
            total?: number | null;
            /** @description The rule whose due step was skipped. */
            rule?: string | null;
            /** @description Why the due step was skipped. */
            reason?: string | null;
            /** @description The fault that started or ended. */
            fault?: string | null;
        };
        /** @enum {string} */
        EventName: "total" | "added" | "merged" | "replaced" | "removed" | "set" | "sent" | "skipped" | "fault-began" | "fault-ended";
        /** @description Totals or data to set: exactly one of the two. */
        PatchRequest: {
            /**
             * @description New totals by product id. Either all are set, or none.
             * @default null
             */
            totals?: {
                [key: string]: number;
            } | null;
            /**
             * @description New values by their names in `data`; for a collection, all of its rows. Either all are set, or none.
             * @default null
             */
            data?: {
                [key: string]: unknown;
            } | null;
        };
        /** @description A successful change. */
        Done: {
            /** @description Always `true`. */
            ok: boolean;
        };
        /** @description How to reset a world. */
        ResetRequest: {
            /**
             * Format: uint64
             * @description A new seed, which the world keeps from then on.
             * @default null
             */
            seed?: number | null;
        };
        /** @description The state of a clock. */
        ClockAnswer: {
            /** @description The world's time since its start or last reset. */
            at: components["schemas"]["Duration"];
            /** @description Whether the clock is paused. */
            paused: boolean;
            /**
             * Format: double
             * @description The number of seconds that pass in the world per second of real time while the clock runs.
             */
            speed: number;
            /**
             * @description The world's time of the next scheduled item: a step of a script or a rule, a random order, or a timed message of
             *     a socket's protocol, such as a heartbeat. Null if nothing is scheduled.
             */
            nextDue?: components["schemas"]["Duration"] | null;
        };
        /** @description The clock, and what happened during the advance. */
        Advanced: {
            /** @description The world's time since its start or last reset. */
            at: components["schemas"]["Duration"];
            /** @description Whether the clock is paused. */
            paused: boolean;
            /**
             * Format: double
             * @description The number of seconds that pass in the world per second of real time while the clock runs.
             */
            speed: number;
            /**
             * @description The world's time of the next scheduled item: a step of a script or a rule, a random order, or a timed message of
             *     a socket's protocol, such as a heartbeat. Null if nothing is scheduled.
             */
            nextDue?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description The number of events. Replies, heartbeats, closes and whatever else concerns only single sockets or streams are
             *     not events; the journal records them.
             */
            count: number;
            /** @description The events, at most 10,000; the transcript has more. */
            events: components["schemas"]["EventShape"][];
            /** @description The sockets that made no progress for a second and whose clients may not have received everything yet. */
            leftBehind: number[];
        };
        /**
         * @description A change to the clock, which first advances and then continues at the new pace. A client that disconnects before the
         *     answer stops the advance where it is.
         */
        ClockRequest: {
            /**
             * @description `true` pauses the clock.
             * @default null
             */
            pause?: boolean | null;
            /**
             * @description `true` resumes the clock.
             * @default null
             */
            resume?: boolean | null;
            /**
             * Format: double
             * @description The speed of the clock as a multiple of real time, from 0.001 to 100000.
             * @default null
             */
            speed?: number | null;
            /**
             * @description Advances by this duration, and runs everything due in that time.
             * @default null
             */
            advance?: components["schemas"]["Duration"] | null;
            /**
             * @description Advances to this time since the world's start, and runs everything due until then.
             * @default null
             */
            advance_to?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description Runs this many of the next scheduled items: steps of scripts and rules, random orders, and timed
             *     messages of socket protocols.
             * @default null
             */
            step?: number | null;
        };
        /** @description Orders to place one after the other, all or none. */
        OrdersRequest: {
            /** @description The orders. */
            orders: components["schemas"]["OrderRequest"][];
        };
        OrderRequest: {
            /** @description The id of the product. */
            id: string | number;
            /**
             * Format: int64
             * @description The amount to add to the product's total.
             */
            amount: number;
        };
        /** @description Steps to run now, as one atomic operation. */
        postedSteps: {
            /** @description The steps, at least one. */
            do: components["schemas"]["ruleStep"][] | null;
        };
        /**
         * @description A step: exactly one verb, and when and how often it runs. Without a time, it runs when the previous step has
         *     ended.
         * @example {
         *       "after": "5s",
         *       "merge": {
         *         "todos": {
         *           "id": 1,
         *           "done": true
         *         }
         *       }
         *     }
         */
        ruleStep: {
            /**
             * @description When the step runs, counted from the start of the list of steps. Not with `after`.
             * @example 2s
             */
            at?: components["schemas"]["duration"] | null;
            /**
             * @description When the step runs, counted from the end of the previous step. Not with `at`.
             * @example 500ms
             */
            after?: components["schemas"]["duration"] | null;
            /**
             * @description How many times the step runs: a number, or `forever`, with `every` as the interval. Not with `each`.
             * @default 1
             * @example 100
             * @example forever
             */
            times?: components["schemas"]["repeat"] | null;
            /**
             * @description The interval between the runs of a step with `times` or `each`. At least 1us. Without it, all runs happen at
             *     once. The first run is immediate; `after: 15s` with `every: 15s` delays it, too.
             * @example 10ms
             */
            every?: components["schemas"]["duration"] | null;
            /**
             * @description An expression that must be true for the step to run, evaluated when the step is due.
             * @example chance(0.5)
             */
            when?: string | boolean | number | null;
            /**
             * @description The items to run the step for: a list, or an expression that returns one. `$item` is the item, `$index` its
             *     position, from 0.
             * @example {{ todos | where(done=true) }}
             */
            each?: unknown[] | string | null;
            /**
             * @description Named values for the step and the steps inside it, computed when the step is due. A value that `when` does
             *     not use is computed only if `when` is true.
             * @example {
             *       "total": "{{ body.price * body.amount }}"
             *     }
             */
            with?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description A list of steps. The `do` of a step is atomic: its steps run at one moment, and if one of them is
             *     refused, none takes effect.
             */
            do?: components["schemas"]["ruleStep"][] | null;
            /**
             * @description Sends a frame to this socket: JSON, plain text, or `{ binary: BASE64 }`. In a `stream`, sends an event.
             *     A mapping with `data`, and optionally `event`, `id`, `retry` and `comment`, or with only `comment` or
             *     `retry`, sets the fields of the event; any other value is its data. Only in streams and sockets.
             * @example $it
             * @example {
             *       "event": "price",
             *       "data": "$price"
             *     }
             */
            reply?: unknown;
            /**
             * @description Sends a frame to all members of a topic, or to all sockets of an endpoint.
             * @example {
             *       "to": "news",
             *       "frame": {
             *         "text": "Hello"
             *       }
             *     }
             */
            send?: components["schemas"]["send"] | null;
            /**
             * @description Joins a topic or a list of topics; a mapping has more options. Only in streams and sockets.
             * @example news
             */
            join?: components["schemas"]["join"] | null;
            /**
             * @description Leaves a topic, a list of topics, or the membership with a name. Only in streams and sockets.
             * @example news
             * @example {
             *       "as": "sub-1"
             *     }
             */
            leave?: components["schemas"]["leave"] | null;
            /**
             * @description Closes the socket with a code, with `{ code, reason }`, or with 1000 for `{}`; ends a `stream`. With
             *     Socket.IO, `{}` disconnects the client from one namespace, and closes the socket if that was its last
             *     one. The steps after it do not run, nor does anything else that is scheduled for the socket or stream.
             *     Only in streams and sockets.
             * @example 4401
             * @example {}
             */
            close?: components["schemas"]["close"] | null;
            /**
             * @description Adds a row to a collection. A row without an `id` gets the next one. An `id` that is written here must
             *     not be undefined.
             * @example {
             *       "todos": {
             *         "title": "$body.title"
             *       }
             *     }
             */
            add?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Changes some fields of the row with the same `id`: each field that is written here replaces the row's
             *     whole field, even if both are mappings. `null` is a value like any other.
             * @example {
             *       "todos": {
             *         "id": 1,
             *         "done": true
             *       }
             *     }
             */
            merge?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Replaces the row with the same `id`.
             * @example {
             *       "todos": {
             *         "id": 1,
             *         "title": "Sleep"
             *       }
             *     }
             */
            replace?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Removes the row with this id.
             * @example {
             *       "todos": "$path.id"
             *     }
             */
            remove?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Adds to numeric fields of the row with the same `id`.
             * @example {
             *       "todos": {
             *         "id": 1,
             *         "votes": 1
             *       }
             *     }
             */
            increment?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Sets values of `data`, or parts of them; in the steps of a socket also values of its memory `conn`.
             * @example {
             *       "price": 3,
             *       "prices.BTC": 50000
             *     }
             * @example {
             *       "conn.name": "$msg.name"
             *     }
             */
            set?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Orders a product of `categories`.
             * @example {
             *       "product": "A1",
             *       "amount": 10
             *     }
             */
            order?: components["schemas"]["order"] | null;
            /** @description Starts a fault. Its times count from then on. */
            fault?: components["schemas"]["fault"] | null;
        } & ({
            do: unknown;
        } | unknown | {
            send: unknown;
        } | {
            join: unknown;
        } | {
            leave: unknown;
        } | {
            close: unknown;
        } | {
            add: unknown;
        } | {
            merge: unknown;
        } | {
            replace: unknown;
        } | {
            remove: unknown;
        } | {
            increment: unknown;
        } | {
            set: unknown;
        } | {
            order: unknown;
        } | {
            fault: unknown;
        });
        /** @description How many times a script or a step repeats. */
        repeat: "forever" | number;
        /** @description A frame for the members of topics, or for all sockets of an endpoint. */
        send: {
            /**
             * @description A topic or a list of topics. Only steps of an endpoint may omit it. They then send to all sockets of the
             *     endpoint or, with Socket.IO, to those in the namespace of the message or of the frame.
             * @example news
             */
            to?: string | unknown[] | null;
            /**
             * @description What to send: any JSON value.
             * @example {
             *       "text": "Hello"
             *     }
             */
            frame: unknown;
            /**
             * @description Whether to skip the sender. Only in streams and sockets.
             * @default false
             */
            others?: boolean | null;
        };
        /** @description Topics to join. */
        join: string | string[] | components["schemas"]["membership"];
        /** @description Topics to join, with options. */
        membership: {
            /**
             * @description A topic or a list of topics.
             * @example orders
             */
            to: string | unknown[] | null;
            /**
             * @description JSON that an event must contain to reach the member. Any text in it may be an expression; an undefined value is
             *     an error.
             * @example {
             *       "row": {
             *         "room": "$path.room"
             *       }
             *     }
             */
            where?: unknown;
            /**
             * @description The name of the membership, for `leave`. Another `join` with the same name replaces it, even for other topics:
             *     the old membership and its steps end.
             * @example $query.id
             */
            as?: unknown;
            /**
             * @description The frame that the member receives for an event. `$event` is the event, `$topic` its topic.
             * @example $event.row
             */
            frame?: unknown;
            /** @description Steps that start with the membership and stop with it. */
            do?: components["schemas"]["ruleStep"][] | null;
        };
        /** @description Topics to leave. */
        leave: string | string[] | components["schemas"]["leaving"];
        /** @description The membership to leave. */
        leaving: {
            /**
             * @description A topic or a list of topics.
             * @example news
             */
            to?: string | unknown[] | null;
            /**
             * @description The name of the membership: the `as` of its `join`.
             * @example sub-1
             */
            as?: unknown;
        };
        /** @description How to close the socket. */
        close: number | string | components["schemas"]["closing"];
        /** @description The close code and the reason. */
        closing: {
            /**
             * @description The close code (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014, or 3000 to 4999. Defaults to 1000.
             * @example 4401
             */
            code?: number | string | null;
            /**
             * @description The close reason, at most 123 bytes.
             * @example bye
             */
            reason?: string | null;
        };
        /** @description An order of a product. */
        order: {
            /**
             * @description The product's id.
             * @example A1
             * @example $it.id
             */
            product: string | number | null;
            /**
             * @description The amount to add to the product's total, negative for a return: an integer, an expression that returns one, or
             *     a range to draw from each time.
             * @example 10
             * @example {
             *       "min": 1,
             *       "max": 7
             *     }
             */
            amount: number | string | Record<string, never> | null;
        };
        /** @description The current `data`. */
        DataAnswer: {
            /** @description The collections in declared order, then the values. */
            data: components["schemas"]["NamedDataAnswer"][];
        };
        /** @description A collection or a value. */
        NamedDataAnswer: {
            /** @description The name of the collection. */
            name: string;
            /**
             * Format: uint
             * @description The number of rows in the collection.
             */
            count: number;
            /** @description The first rows, or all of them. */
            rows: {
                [key: string]: unknown;
            }[];
        } | {
            /** @description The name of the value. */
            name: string;
            /** @description The current value. */
            value: unknown;
        };
        /** @description All categories with their products. */
        ProductsAnswer: {
            /** @description The categories in declared order. */
            categories: components["schemas"]["ListingAnswer"][];
        };
        /** @description A category with its products. */
        ListingAnswer: {
            /** @description The name of the category, which is also its path. */
            name: string;
            /** @description The products, as the category's path lists them. */
            products: {
                [key: string]: unknown;
            }[];
        };
        /** @description The scheduled work of a world. */
        TimelineAnswer: {
            /** @description The world's time. */
            at: components["schemas"]["Duration"];
            /** @description The scripts of orders, then the scripts of general steps, both in declared order. */
            scripts: components["schemas"]["ScriptAnswer"][];
            /** @description The generators, in declared order. */
            generators: components["schemas"]["GeneratorAnswer"][];
            /** @description Scripts of general steps and delayed steps of rules: the first 100 by due time. */
            waiting: components["schemas"]["WaitingAnswer"][];
        };
        /** @description A script. */
        ScriptAnswer: {
            /**
             * @description The name or place of the script, as shown in messages; for a script of general steps its key, such as
             *     `scripts/morning`.
             */
            script: string;
            /** @description The world's time when the current repeat started or starts; null for a script of general steps that is over. */
            began?: components["schemas"]["Duration"] | null;
            /** @description The duration of a repeat; null for a script of general steps, whose duration is only known afterwards. */
            length?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description The number of the current repeat, from 1.
             */
            round: number;
            /**
             * Format: uint64
             * @description The number of repeats; null if the script repeats forever.
             */
            repeat?: number | null;
            /**
             * Format: uint
             * @description The number of steps.
             */
            count: number;
            /**
             * Format: uint
             * @description The number of steps that have started in this repeat; for a script of general steps, the number before the next
             *     one.
             */
            begun: number;
            /** @description The world's time of the next action; null once the script is over. */
            due?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint
             * @description The number of steps before the first listed one.
             */
            first: number;
            /** @description The steps around the next one; for a script of general steps, only the next one. */
            steps: components["schemas"]["StepAnswer"][];
        };
        /** @description A step of a script. */
        StepAnswer: {
            /** @description The world's time of the step in this repeat. */
            at: components["schemas"]["Duration"];
            /** @description The step as declared, in the scenario language. */
            step: {
                [key: string]: unknown;
            };
        };
        /** @description A generator. */
        GeneratorAnswer: {
            /**
             * @description The place of the generator, as shown in messages; for a generator of general steps its key, such as
             *     `random/crowd`.
             */
            generator: string;
            /** @description The world's time when the generator started. */
            began: components["schemas"]["Duration"];
            /** @description The world's time of the next order or step; null once the generator is over. */
            due?: components["schemas"]["Duration"] | null;
            /** @description The generator as declared, in the scenario language. */
            declared: {
                [key: string]: unknown;
            };
        };
        /** @description Scheduled steps of a rule. */
        WaitingAnswer: {
            /**
             * @description The key of the rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`; `steps` if the steps come
             *     from outside the scenario.
             */
            rule: string;
            /** @description The world's time of the next step. */
            due: components["schemas"]["Duration"];
        };
        /** @description All snapshots of a world. */
        SnapshotsAnswer: {
            /** @description The snapshots, sorted by name. */
            snapshots: components["schemas"]["SnapshotAnswer"][];
        };
        /** @description A snapshot to save. */
        SnapshotRequest: {
            /** @description The name of the snapshot. An existing snapshot with this name is replaced. */
            name: string;
        };
        /** @description Entries of a journal. */
        JournalAnswer: {
            /** @description The entries in order. */
            entries: components["schemas"]["EntryShape"][];
            /** @description The number of entries that were dropped because the journal is bounded. */
            dropped: components["schemas"]["Dropped"];
        };
        /** @description An entry of the journal. */
        EntryShape: {
            /**
             * Format: uint64
             * @description The number of the entry, counted from 1.
             */
            sequence: number;
            /** @description The world's time of the entry. */
            at: components["schemas"]["Duration"];
            /** @description The name of the world; omitted in brief entries. */
            world?: string | null;
            /** @description The kind of entry. */
            kind: components["schemas"]["Kind"];
            /** @description The method of a request. */
            method?: string | null;
            /**
             * @description The decoded path of a request, or of a socket of a `websocket` endpoint, below the world's prefix. For a stream
             *     that was closed, and for a frame whose recipients all have the same path, that path.
             */
            path?: string | null;
            /** @description The query of a request. */
            query?: string | null;
            /** @description The key of the route that answered a request, such as `GET /todos/{id}`. */
            route?: string | null;
            /** @description The headers of a request, by lower-case name. */
            headers?: {
                [key: string]: string;
            } | null;
            /**
             * @description The JSON of a request's body or of a frame. For a message from a socket with a `protocol`, the `msg` of its
             *     rules.
             */
            body?: unknown;
            /** @description Whether a frame is binary; omitted otherwise. Rules and expectations see its content as `{ binary: BASE64 }`. */
            binary?: boolean | null;
            /** @description The body or frame as text, if it is binary or not JSON; in a brief entry, the beginning of any text. */
            text?: string | null;
            /**
             * Format: uint64
             * @description The length of a body or frame that is not text, in bytes.
             */
            bytes?: number | null;
            /**
             * Format: uint64
             * @description The full length in bytes, if only the beginning was kept.
             */
            cutFrom?: number | null;
            /** @description The answer to a request. */
            answer?: components["schemas"]["AnswerShape"] | null;
            /**
             * Format: uint64
             * @description The socket that was opened or closed, sent a message, fell behind, was hit by a fault, or whose rule failed.
             */
            socket?: number | null;
            /** @description The sockets that a frame was sent to. */
            sockets?: number[] | null;
            /** @description The topics that a frame was sent to. */
            topics?: string[] | null;
            /**
             * Format: uint64
             * @description In a brief entry, the number of sockets that a frame was sent to.
             */
            count?: number | null;
            /**
             * Format: uint16
             * @description In a brief entry, the status code of the answer to a request.
             */
            status?: number | null;
            /**
             * Format: uint64
             * @description In a brief entry, the position of the answer among the answers of its route, from 1; null if it is none of them.
             */
            number?: number | null;
            /**
             * Format: uint64
             * @description The number of the event that a frame reports.
             */
            event?: number | null;
            /** @description The category that a socket was opened with. */
            category?: string | null;
            /** @description The path of the request that a stream answers. */
            stream?: string | null;
            /** @description Why the rule that matches a message was refused. */
            refused?: string | null;
            /** @description The rule that came closest to matching a message, and why it does not match. */
            nearest?: string | null;
            /**
             * Format: uint16
             * @description The close code of a socket.
             */
            code?: number | null;
            /** @description The side that closed a socket: `client` or `server`. */
            by?: string | null;
            /** @description The faults that hit a request. */
            faults?: components["schemas"]["MarkShape"][] | null;
            /** @description The fault that hit a socket or a frame; in a brief entry, also the first fault that hit a request. */
            fault?: string | null;
            /**
             * @description What the fault did; or what happened to a stream or a `websocket` socket that fell behind: `caught up` or
             *     `closed`.
             */
            did?: string | null;
            /**
             * @description The name of a rule that failed. For a message, the number of the rule that matches it, from 1; null if none
             *     does.
             */
            rule?: components["schemas"]["RuleName"] | null;
            /** @description Why a rule failed, or why a stream or socket that fell behind was closed. */
            why?: string | null;
        };
        /**
         * @description The kinds of entries.
         * @enum {string}
         */
        Kind: "request" | "opened" | "closed" | "sent" | "received" | "behind" | "faulted" | "failed";
        AnswerShape: {
            /**
             * Format: uint64
             * @description The position of the answer among the answers of its route, from 1.
             */
            number?: number | null;
            /**
             * Format: uint16
             * @description The status code.
             */
            status: number;
            /** @description Hints at what may be wrong with the request. */
            notes?: string[] | null;
            /** @description The JSON of the body. */
            body?: unknown;
            /** @description The body as text, if it is not JSON. */
            text?: string | null;
            /**
             * Format: uint64
             * @description The length of a body that is not text, in bytes.
             */
            bytes?: number | null;
            /**
             * Format: uint64
             * @description The full length in bytes, if only the beginning was kept.
             */
            cutFrom?: number | null;
        };
        MarkShape: {
            /** @description The name or number of the fault. */
            fault: string;
            /** @description What the fault did. */
            did: string;
        };
        /** @description A rule, as journal entries name it. */
        RuleName: number | string;
        /** @description The numbers of entries dropped from a journal because it is bounded. */
        Dropped: {
            /**
             * Format: uint64
             * @description Frames to sockets.
             */
            sent: number;
            /**
             * Format: uint64
             * @description Requests, frames from clients, sockets opened and closed, and failures.
             */
            other: number;
        };
        /** @description The result of comparing a journal with expectations. */
        Verdict: {
            /** @description Whether every expectation is met. */
            pass: boolean;
            /** @description The findings for each expectation, in order. */
            findings: components["schemas"]["Finding"][];
            /** @description The numbers of entries that were no longer in the journal and thus not compared. */
            dropped: components["schemas"]["Dropped"];
        };
        /** @description The result for one expectation. */
        Finding: {
            /** @description Whether the expectation is met. */
            pass: boolean;
            /** @description The expected number of entries, in words. */
            expected: string;
            /**
             * Format: uint64
             * @description The number of matching entries.
             */
            count: number;
            /** @description The sequence numbers of the matching entries. */
            matches: number[];
            /** @description What is wrong, in words; missing if the expectation is met. */
            why?: string | null;
            /** @description If there are too few entries, those with the smallest difference, closest first. */
            nearest: components["schemas"]["NearMiss"][];
        };
        /** @description An entry that almost matches. */
        NearMiss: {
            /** @description The entry. */
            entry: {
                [key: string]: unknown;
            };
            /** @description How it differs. */
            differences: components["schemas"]["Difference"][];
        };
        /** @description A difference between an entry and an expectation. */
        Difference: {
            /** @description The expectation's field, with the path into a body, such as `body.amount`. */
            field: string;
            /** @description The expected value. */
            expected: unknown;
            /** @description The actual value; null if there is none. */
            found: unknown;
        };
        /** @description Entries to wait for. */
        WaitRequest: {
            /** @description The expected entries. Entries that are already in the journal count, unless `after` excludes them. */
            for: components["schemas"]["Expectation"];
            /**
             * @description The timeout, in real time; 5 seconds by default, at most 10 minutes.
             * @default 5s
             */
            timeout?: components["schemas"]["Duration"];
        };
        /**
         * @description The entries that a test expects. Every given field must match; an entry without such a field does not match.
         *     Preflights count only if `method` is `OPTIONS`. Without `atLeast`, `atMost` and `exactly`, at least one entry must
         *     match.
         */
        Expectation: {
            /** @description The kind of entry. */
            kind?: components["schemas"]["Kind"] | null;
            /**
             * @description The method of a request, case-insensitive.
             * @default null
             */
            method?: string | null;
            /**
             * @description The decoded path of a request below the world's prefix; `*` matches anything. With the kind `opened`, `closed` or
             *     `sent`, the path of a stream or of a `websocket` socket; with `received`, the path of the socket. The key of a
             *     socket's endpoint also matches.
             * @default null
             */
            path?: string | null;
            /** @description The query of a request. */
            query?: components["schemas"]["ExpectedQuery"] | null;
            /**
             * @description Headers of a request by case-insensitive name; `*` in a value matches anything.
             * @default null
             */
            headers?: {
                [key: string]: string;
            } | null;
            /**
             * @description The key of the route that answered a request, as written in the scenario, such as `GET /todos/{id}`.
             * @default null
             */
            route?: string | null;
            /**
             * Format: uint16
             * @description The status code of the answer to a request.
             * @default null
             */
            status?: number | null;
            /**
             * @description JSON contained in the body of a request or in a frame: objects must have these keys, all other values must be
             *     equal. `null` also matches a missing key. An object is compared with the object that routes see: the fields of a
             *     form, in which a file is `{ filename, type, size }`, or `{ type, size }` for a binary body. A string also matches
             *     a body or frame that is exactly this text and not JSON. A binary frame is `{ binary: BASE64 }`. For a socket with
             *     a `protocol`, a received message is the `msg` of its rules; messages of the protocol itself, such as heartbeats,
             *     are not recorded.
             * @default null
             */
            body?: unknown;
            /**
             * @description The entire JSON of the body of a request or of a frame. Objects and strings are compared as in `body`.
             * @default null
             */
            bodyEquals?: unknown;
            /**
             * @description Text contained in the body of a request or in a frame.
             * @default null
             */
            bodyContains?: string | null;
            /**
             * Format: uint64
             * @description The number of a socket.
             * @default null
             */
            socket?: number | null;
            /**
             * @description The category that a socket was opened with.
             * @default null
             */
            category?: string | null;
            /**
             * Format: uint16
             * @description The close code of a socket.
             * @default null
             */
            code?: number | null;
            /**
             * @description A topic that a frame was sent to; `*` matches anything.
             * @default null
             */
            topic?: string | null;
            /**
             * @description The fault that hit a socket or a frame, as entries name it; `*` matches anything.
             * @default null
             */
            fault?: string | null;
            /**
             * @description The number of the rule that matched a message, or the key of a rule that failed.
             * @default null
             */
            rule?: components["schemas"]["RuleName"] | null;
            /**
             * @description Why a rule failed; `*` stands for anything.
             * @default null
             */
            why?: string | null;
            /**
             * Format: uint64
             * @description Only entries after this sequence number.
             * @default null
             */
            after?: number | null;
            /**
             * Format: uint64
             * @description The minimum number of entries.
             * @default null
             */
            atLeast?: number | null;
            /**
             * Format: uint64
             * @description The maximum number of entries.
             * @default null
             */
            atMost?: number | null;
            /**
             * Format: uint64
             * @description The exact number of entries.
             * @default null
             */
            exactly?: number | null;
        };
        /** @description The expected query of a request. */
        ExpectedQuery: string | {
            [key: string]: unknown;
        };
        /** @description Expectations to check the journal against. */
        VerifyRequest: {
            /** @description The expectations, all of which have to be met. */
            expect: components["schemas"]["Expectation"][];
            /**
             * @description Whether the entries of each expectation have to come after those of the previous one.
             * @default false
             */
            ordered?: boolean;
        };
        /** @description All open sockets and streams of a world. */
        SocketsAnswer: {
            /** @description The sockets and streams, in the order in which they were opened unless `sort` is given. */
            sockets: components["schemas"]["SocketAnswer"][];
            /** @description How often sockets and streams, including closed ones, were too slow. */
            slow: components["schemas"]["SlowAnswer"];
        };
        /** @description An open socket or stream. */
        SocketAnswer: {
            /**
             * Format: uint64
             * @description The number of the socket or stream, from 1 in each world.
             */
            socket: number;
            /** @description The name of the world. */
            world: string;
            /** @description The category that a socket requested last. */
            category?: string | null;
            /** @description The decoded path of the request that a stream answers, below the world's prefix. */
            stream?: string | null;
            /** @description The decoded path of a socket of a declared endpoint, below the world's prefix. */
            path?: string | null;
            /** @description The topics that a stream, or a socket of a declared endpoint, has joined. */
            topics?: string[] | null;
            /** @description The world's time when it was opened. */
            opened: components["schemas"]["Duration"];
            /** @description How long it has been open in real time, in whole milliseconds. */
            age: components["schemas"]["Duration"];
            /**
             * Format: uint64
             * @description The number of frames or events written to it.
             */
            sent: number;
            /**
             * Format: uint64
             * @description The number of frames received from it.
             */
            received: number;
            /**
             * Format: uint64
             * @description The number of frames or events that are still to be written to it.
             */
            backlog: number;
            /**
             * Format: uint64
             * @description How often it has caught up after falling too far behind: instead of what it had missed, it received the current
             *     totals, or the current rows and values of `data` that had changed.
             */
            caughtUp: number;
        };
        /** @description How often sockets and streams have fallen further behind than their backlog allows, since the world was created. */
        SlowAnswer: {
            /**
             * Format: uint64
             * @description How often a socket or stream caught up: instead of what it had missed, it received the current totals, or the
             *     current rows and values of `data` that had changed.
             */
            caughtUp: number;
            /**
             * Format: uint64
             * @description How often one could not catch up, because it had missed something else. A socket is closed with 1013 then, and a
             *     stream ends.
             */
            closed: number;
        };
        /** @enum {string} */
        Sort: "backlog";
        /** @description The sockets and streams that were closed. */
        ClosedAnswer: {
            /** @description The numbers of the closed sockets and streams. */
            closed: number[];
        };
        /** @description How to close sockets. A stream simply ends, without a code or a reason. */
        CloseRequest: {
            /**
             * Format: uint16
             * @description The close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455, 7.4).
             * @default 1000
             */
            code?: number;
            /**
             * @description The reason, of at most 123 bytes.
             * @default
             */
            reason?: string;
        };
        /** @description What to send: exactly one of the three fields. A stream receives it as an event. */
        SendRequest: {
            /**
             * @description The content of a text frame, or the data of an event.
             * @default null
             */
            text?: string | null;
            /**
             * @description The JSON of a text frame. A stream receives an event with this JSON as its data, or with the fields `event`,
             *     `id`, `data`, `retry` and `comment` if it has any of them. A socket that speaks `socket.io` takes
             *     `{ event, args }`, and receives the event in the namespace `/` or in the one that `namespace` names. A socket
             *     that speaks `graphql-transport-ws` receives JSON only through topics.
             * @default null
             */
            json?: unknown;
            /**
             * @description The content of a binary frame, in base64 (RFC 4648, 4). A stream receives the base64 as the data of an event.
             * @default null
             */
            binary?: string | null;
        };
        /** @description All worlds. */
        WorldsAnswer: {
            /** @description The default world, then the others sorted by name. */
            worlds: components["schemas"]["WorldAnswer"][];
        };
        /** @description A world. */
        WorldAnswer: {
            /** @description The name of the world. */
            name: string;
            /** @description The prefix of the paths of its API. */
            path: string;
            /**
             * Format: uint64
             * @description The seed of all random choices.
             */
            seed: number;
            /** @description The world's time. */
            at: components["schemas"]["Duration"];
            /** @description Whether the clock is paused. */
            paused: boolean;
            /**
             * Format: double
             * @description The speed of the clock as a multiple of real time.
             */
            speed: number;
            /**
             * Format: uint
             * @description The number of open sockets and streams.
             */
            sockets: number;
        };
        /** @description A world to create. */
        WorldRequest: {
            /** @description The name of the world: 1 to 64 letters, digits, dots, dashes, underscores or tildes. */
            name: string;
            /**
             * Format: uint64
             * @description The seed of the world; by default that of the server.
             */
            seed?: number | null;
            /** @description Whether the clock is paused at first; by default as the server was started. */
            paused?: boolean | null;
            /**
             * Format: double
             * @description The speed of the clock as a multiple of real time; by default as the server was started.
             */
            speed?: number | null;
        };
        /** @description All faults of a world. */
        FaultsAnswer: {
            /** @description The faults. Those of the scenario come first, in declared order. */
            faults: components["schemas"]["FaultAnswer"][];
        };
        /** @description The scenario files that mockd was started with. Folders are read again each time. */
        ScenariosAnswer: {
            /** @description The files in the order in which they were given; those of a folder are sorted by name. */
            scenarios: components["schemas"]["ScenarioAnswer"][];
        };
        /** @description A scenario file. */
        ScenarioAnswer: {
            /** @description The path as it was given; for a file of a folder, the path of the folder and the name of the file. */
            file: string;
            /** @description Whether this file is served. */
            serving: boolean;
        };
        /** @description The scenario file to serve. */
        SwitchRequest: {
            /** @description The path of the file, as `GET /__mockd/scenarios` lists it. */
            file: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Check the health of the server */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["HealthAnswer"];
                };
            };
        };
    };
    getOpenapiJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get this document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
        };
    };
    getCategories: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the scenario's name and categories */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CategoriesAnswer"];
                };
            };
        };
    };
    getRoutes: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the routes of the mock API */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RoutesAnswer"];
                };
            };
        };
    };
    getReload: {
        parameters: {
            query?: {
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the result of the last save of the scenario */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReloadAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getState: {
        parameters: {
            query?: {
                since?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the current state of the world */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StateAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    patchState: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PatchRequest"];
            };
        };
        responses: {
            /** @description Set totals or data, all or none */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Happened"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ResetRequest"];
            };
        };
        responses: {
            /** @description Reset the world to the scenario's start: data, totals, products, clock, random streams, journal and snapshots; sockets of a shop stay open and receive the current orders */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getClock: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get the clock */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClockAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postClock: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClockRequest"];
            };
        };
        responses: {
            /** @description Pause, resume, speed up or advance the clock. The answer comes once everything due has happened and has been written to the open sockets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Advanced"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postOrders: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrdersRequest"];
            };
        };
        responses: {
            /** @description Place orders, all or none */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Happened"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSteps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["postedSteps"];
            };
        };
        responses: {
            /** @description Run steps, all or none. Delayed steps are scheduled in the world */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Happened"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getTranscript: {
        parameters: {
            query?: {
                after?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get every event since the start or the last reset, as JSON lines */
            200: {
                headers: {
                    /** @description The number of these events that were dropped because the transcript is bounded. */
                    "x-mockd-dropped"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getData: {
        parameters: {
            query?: {
                name?: string;
                rows?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a summary of the current `data` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DataAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getProducts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List all categories with their products */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductsAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getTimeline: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List scripts, generators and scheduled steps, with their progress */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TimelineAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getSnapshots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the snapshots */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SnapshotsAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSnapshots: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SnapshotRequest"];
            };
        };
        responses: {
            /** @description Save a snapshot of the current state */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    deleteSnapshotsName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Delete a snapshot */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSnapshotsNameRestore: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Restore a snapshot */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getJournal: {
        parameters: {
            query?: {
                kind?: components["schemas"]["Kind"] | null;
                method?: string;
                path?: string;
                route?: string;
                status?: number;
                socket?: number;
                category?: string;
                code?: number;
                topic?: string;
                fault?: string;
                rule?: string;
                why?: string;
                bodyContains?: string;
                after?: number;
                limit?: number;
                brief?: boolean;
                text?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List what happened between the world and its clients, except what the built-in page fetches for itself */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JournalAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    deleteJournal: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Clear the journal */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postJournalWait: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WaitRequest"];
            };
        };
        responses: {
            /** @description Wait for journal entries */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postVerify: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyRequest"];
            };
        };
        responses: {
            /** @description Check the journal against expectations */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Verdict"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getSockets: {
        parameters: {
            query?: {
                limit?: number;
                sort?: components["schemas"]["Sort"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the open sockets and streams */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SocketsAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSocketsClose: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CloseRequest"];
            };
        };
        responses: {
            /** @description Close all sockets and end all streams */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClosedAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSocketsSend: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendRequest"];
            };
        };
        responses: {
            /** @description Send a frame to all sockets and streams */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSocketsSocketClose: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                socket: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CloseRequest"];
            };
        };
        responses: {
            /** @description Close a socket or end a stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClosedAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postSocketsSocketSend: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                socket: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendRequest"];
            };
        };
        responses: {
            /** @description Send a frame to a socket or stream */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postTopicsTopic: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                topic: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SendRequest"];
            };
        };
        responses: {
            /** @description Send a frame to all members of a topic, as a step does */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Happened"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getWorlds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List all worlds */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorldsAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postWorlds: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WorldRequest"];
            };
        };
        responses: {
            /** @description Create a world */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorldAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getWorldsName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a world */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorldAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    deleteWorldsName: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Remove a world and close its sockets */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getFaults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the faults */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultsAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postFaults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["fault"];
            };
        };
        responses: {
            /** @description Add a fault */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    deleteFaults: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Remove all faults */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getFaultsFault: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fault: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Get a fault by its number or name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    putFaultsFault: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fault: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["fault"];
            };
        };
        responses: {
            /** @description Replace a fault */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FaultAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    deleteFaultsFault: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                fault: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Remove a fault */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Done"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    getScenarios: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description List the scenario files that mockd was started with, and which of them is served */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScenariosAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
    postScenarios: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SwitchRequest"];
            };
        };
        responses: {
            /** @description Switch all worlds to another of the scenario files and watch that file from then on. Open sockets and everything that is the same in both files stay. The answer comes after the switch and is that of `GET /__mockd/reload` */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReloadAnswer"];
                };
            };
            /** @description An error */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
            /** @description An error */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorAnswer"];
                };
            };
        };
    };
}

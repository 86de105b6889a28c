// Made from mockd's OpenAPI document by `npm run generate`.

export interface paths {
    "/__mockd/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** That the server is well */
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
        /** This document */
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
        /** The scenario's name and categories */
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
        /** The requests that the mock API answers */
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
        /** What became of the last save of the scenario */
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
        /** The world at this moment */
        get: operations["getState"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Set totals, or data, all or none */
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
        /** Back to the scenario's start: totals, products, clock, random streams, journal, snapshots; open sockets stay and get current orders */
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
        /** The clock */
        get: operations["getClock"];
        put?: never;
        /** Stop, start, speed up or advance the clock; answered when everything until then has happened and is written to the open sockets */
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
        /** Carry out orders, all or none */
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
        /** Carry out steps, all or none; later ones belong to the world */
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
        /** Every event since the start or reset, as JSON lines */
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
        /** What `data` is now, in brief */
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
        /** All categories with their products */
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
        /** What happens by itself, and how far it is */
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
        /** The snapshots */
        get: operations["getSnapshots"];
        put?: never;
        /** Keep this moment */
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
        /** Drop a snapshot */
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
        /** Go back to a snapshot */
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
        /** What happened between the world and its clients, without what the built-in page fetches for itself */
        get: operations["getJournal"];
        put?: never;
        post?: never;
        /** Empty the journal */
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
        /** Wait for entries */
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
        /** Hold the journal against expectations */
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
        /** The open sockets */
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
        /** Close all sockets */
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
        /** Send a frame to all sockets */
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
        /** Close a socket */
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
        /** Send a frame to a socket */
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
        /** Send a frame to all who have joined a topic, as a step does */
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
        /** All worlds */
        get: operations["getWorlds"];
        put?: never;
        /** Make a world */
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
        /** One world */
        get: operations["getWorldsName"];
        put?: never;
        post?: never;
        /** Remove a world; its sockets are closed */
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
        /** What goes wrong on purpose */
        get: operations["getFaults"];
        put?: never;
        /** Bring a fault */
        post: operations["postFaults"];
        /** Lift all faults */
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
        /** One fault, by number or name */
        get: operations["getFaultsFault"];
        /** Put another in the place of a fault */
        put: operations["putFaultsFault"];
        post?: never;
        /** Lift a fault */
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
        /** The scenario files that mockd was started with, and which of them is served */
        get: operations["getScenarios"];
        put?: never;
        /** Serve another of the scenario files from now on, in all worlds, and follow it; open sockets stay, and so does what is the same in both. Answered when it is done, as `GET /__mockd/reload` is then */
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
        /** @description An error; `message` says what is wrong. */
        ErrorAnswer: {
            /**
             * Format: uint16
             * @description The status code.
             */
            statusCode: number;
            /** @description The status in words. */
            error: string;
            /** @description What is wrong, and with which field. */
            message: string;
            /** @description The field that is wrong, such as `orders[2].amount`. */
            field?: string | null;
            /** @description The problems of a scenario file that cannot be served, as `mockd check --format json` prints them. */
            problems?: unknown;
        };
        /** @description That the server is well. */
        HealthAnswer: {
            /** @description A server that is not well does not answer; one that cannot reach its store answers what it knows, and refuses changes. */
            status: components["schemas"]["Health"];
            /** @description mockd's version. */
            version: string;
            /** @description Why the store cannot be reached, if that is so. */
            trouble?: string | null;
        };
        /**
         * @description How a server is.
         * @enum {string}
         */
        Health: "ok" | "degraded";
        /** @description What is served. */
        CategoriesAnswer: {
            /** @description The scenario's name. */
            scenario: string;
            /** @description In declared order. */
            categories: components["schemas"]["CategoryAnswer"][];
        };
        /** @description A category. */
        CategoryAnswer: {
            /** @description Its name, which is its path. */
            name: string;
            /** @description What ids of added products start with. */
            prefix: string;
            /**
             * Format: uint
             * @description How many products it has.
             */
            products: number;
        };
        /** @description The routes of the scenario. */
        RoutesAnswer: {
            /** @description In declared order, those of sockets last. */
            routes: components["schemas"]["RouteAnswer"][];
        };
        /** @description A route. */
        RouteAnswer: {
            /** @description Its method; `ANY` stands for every method that no other route of the path is for. */
            method: string;
            /**
             * @description Its path below the world's prefix, decoded, with its parameters in braces: `{name}` is a segment, `{*name}` all that is
             *     left.
             */
            path: string;
            /** @description The names of its parameters, in order. */
            parameters: string[];
            /** @description What it does. */
            kind: components["schemas"]["RouteKind"];
            /** @description The collection or category that it is about, if it is about one. */
            collection?: string | null;
            /** @description The key of its answers, as the journal calls them; left out for the routes of a shop. */
            route?: string | null;
        };
        /** @description What a route does. */
        RouteKind: "answer" | "stream" | "list" | "get" | "add" | "replace" | "merge" | "remove" | "order" | "socket";
        /** @description What became of the last save. */
        ReloadAnswer: {
            /** @description Whether what is in the file is what is served. */
            ok: boolean;
            /**
             * Format: uint64
             * @description How often a saved scenario was applied since the start.
             */
            count: number;
            /** @description What the last of these changed in the default world: objects with `kind`, `text`, and the data of the kind. */
            changes: {
                [key: string]: unknown;
            }[];
            /**
             * Format: uint
             * @description How many changes are not listed because of the limit.
             */
            more?: number | null;
            /** @description What is odd about what is in the file, if it is right, as `mockd check` prints it. */
            warnings?: string | null;
            /** @description Why what is in the file could not be applied, if it could not. */
            error?: string | null;
            /** @description The problems of the file, as `mockd check --format json` prints them. */
            problems?: unknown;
        };
        /** @description A world at one moment. */
        StateAnswer: {
            /** @description The world's name; `default` is that of paths without a prefix. */
            world: string;
            /** @description The scenario's name. */
            scenario: string;
            /**
             * Format: uint64
             * @description The seed of all that is random. A world, or a mockd, that starts with it does the same again.
             */
            seed: number;
            /** @description The world's time since its start or reset. */
            at: components["schemas"]["Duration"];
            /** @description Whether it stands still. */
            paused: boolean;
            /**
             * Format: double
             * @description How many seconds of the world pass in one of the machine's while it does not.
             */
            speed: number;
            /**
             * @description When the next thing happens by itself: a step of a script or a rule, a random order, or what the protocol of a socket sends at
             *     its time, such as a heartbeat; null if nothing does any more.
             */
            nextDue?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description Counts up with each reset and each restored snapshot. Events of different epochs do not continue each other.
             */
            epoch: number;
            /**
             * Format: uint64
             * @description The number of the last event.
             */
            sequence: number;
            /** @description The categories in declared order. */
            categories: components["schemas"]["CategoryAnswer"][];
            /** @description Order totals by product id: all of them, or those that changed `since`. */
            totals: {
                [key: string]: number;
            };
            /** @description What `data` is now, by name: values, and the rows of collections. Left out with `since`, and if there is none. */
            data?: {
                [key: string]: unknown;
            } | null;
            /** @description The faults that are in force. */
            faults: components["schemas"]["FaultAnswer"][];
            /**
             * Format: uint
             * @description How many sockets are open.
             */
            sockets: number;
            /** @description The snapshots. */
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
             * @description Its number, from 1 in each world.
             */
            id: number;
            /** @description What messages and the journal call it: its name, or its number. */
            label: string;
            /** @description Who brought it: `scenario`, `script` or `api`. */
            source: string;
            /** @description Whether it is in force: `waiting`, `active` or `over`. */
            phase: string;
            /** @description The world's time when it begins or began. */
            from: components["schemas"]["Duration"];
            /** @description The world's time when it ends; null if it does not by itself. */
            until?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description Requests, handshakes or sockets that it could have hit so far.
             */
            matched: number;
            /**
             * Format: uint64
             * @description Those that it has hit.
             */
            hit: number;
            /** @description What was declared, as in scenarios. */
            fault: components["schemas"]["fault"];
            /** @description What is odd about one that was just brought, such as that it can never match. */
            warnings?: string[];
        };
        /**
         * @description A fault, something that goes wrong on purpose: what it hits (`on` and the keys that narrow it), when, and exactly
         *     one effect. Its times count from the start, or from the reload, step or request that added or changed it.
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
             * @description Only requests with this path, without the world's prefix; `*` matches any characters. Without it, all requests
             *     for the API. With `on: stream`, only streams that answer a request for this path; with `on: websocket`, only
             *     sockets of an endpoint that were opened with it.
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
             * @description The share of requests, sockets or streams that the fault hits.
             * @default 100%
             * @example 20%
             */
            share?: components["schemas"]["share"] | null;
            /**
             * @description The share of frames or events that the fault hits, on the sockets or streams that it hits. With `drop`,
             *     `duplicate` and `corrupt`.
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
             * @description When the fault begins.
             * @default 0s
             */
            from?: components["schemas"]["duration"] | null;
            /**
             * @description When the fault ends. Without it, never.
             * @example 1m
             */
            until?: components["schemas"]["duration"] | null;
            /**
             * @description Delays answers, frames or events by a fixed time or a random one. Frames and events keep their order.
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
             * @description The JSON body sent with `status`, instead of mockd's own.
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
             * @description Resets connections: those of requests before they are processed, those of sockets and streams when the fault
             *     begins, or after the number given by `after`.
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
             * @description Closes sockets with this code: those that are open when the fault begins, or with `after` each socket after
             *     that many frames. With `on: websocket`.
             * @example 1011
             */
            close?: number | null;
            /** @description The reason sent with `close`, at most 123 bytes. */
            reason?: string | null;
            /**
             * @description Freezes sockets: they stay open, but mockd sends nothing, not even pongs, and reads nothing. With `on:
             *     websocket`.
             */
            freeze?: boolean | null;
            /** @description Drops frames or events. With `on: websocket`, where the latest totals follow afterwards, or `on: stream`. */
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
            /** @description Freezes totals at their values when the fault first hits. With `on: websocket`, and best with `product`. */
            stale?: boolean | null;
            /**
             * @description Closes all sockets with 1012 when the fault begins, and refuses handshakes with 503 for this long. With `on:
             *     websocket`.
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
         * @description Hours, minutes, seconds and smaller units (h, m, s, ms, us, ns), largest first; only the last number may have a fraction. At most 24000h.
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
        /** @description A moment that can be gone back to. */
        SnapshotAnswer: {
            /** @description Its name. */
            name: string;
            /** @description The world's time in it. */
            at: components["schemas"]["Duration"];
        };
        /** @description What happened because of a request. */
        Happened: {
            /** @description In order, as in the transcript. */
            events: components["schemas"]["EventShape"][];
        };
        /** @description What an event looks like. */
        EventShape: {
            /** @description The world's time. */
            at: components["schemas"]["Duration"];
            /**
             * Format: uint64
             * @description Counts up from 1, without gaps.
             */
            sequence: number;
            /** @description What happened. */
            event: components["schemas"]["EventName"];
            /** @description The product, or the row of a collection of `data`. */
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
            /** @description That value. */
            value?: unknown;
            /** @description The topic that something was sent to. */
            topic?: string | null;
            /** @description What was sent. */
            frame?: unknown;
            /**
             * Format: int64
             * @description Its new total.
             */
            total?: number | null;
            /** @description The rule of which something that was due was skipped. */
            rule?: string | null;
            /** @description Why something that was due was skipped. */
            reason?: string | null;
            /** @description The fault that began or ended. */
            fault?: string | null;
        };
        /** @enum {string} */
        EventName: "total" | "added" | "merged" | "replaced" | "removed" | "set" | "sent" | "skipped" | "fault-began" | "fault-ended";
        /** @description Totals and data to be set: one of the two. */
        PatchRequest: {
            /**
             * @description New totals by product id. All are set, or none.
             * @default null
             */
            totals?: {
                [key: string]: number;
            } | null;
            /**
             * @description New values by the names of `data`; of a collection, all of its rows. All are set, or none.
             * @default null
             */
            data?: {
                [key: string]: unknown;
            } | null;
        };
        /** @description Something was done. */
        Done: {
            ok: boolean;
        };
        /** @description How to start over. */
        ResetRequest: {
            /**
             * Format: uint64
             * @description Another seed, which the world keeps from then on.
             * @default null
             */
            seed?: number | null;
        };
        /** @description How a clock goes. */
        ClockAnswer: {
            /** @description The world's time since its start or reset. */
            at: components["schemas"]["Duration"];
            /** @description Whether it stands still. */
            paused: boolean;
            /**
             * Format: double
             * @description How many seconds of the world pass in one of the machine's while it does not.
             */
            speed: number;
            /**
             * @description When the next thing happens by itself: a step of a script or a rule, a random order, or what the protocol of a socket sends at
             *     its time, such as a heartbeat; null if nothing does any more.
             */
            nextDue?: components["schemas"]["Duration"] | null;
        };
        /** @description The clock, and what happened by an advance. */
        Advanced: {
            /** @description The world's time since its start or reset. */
            at: components["schemas"]["Duration"];
            /** @description Whether it stands still. */
            paused: boolean;
            /**
             * Format: double
             * @description How many seconds of the world pass in one of the machine's while it does not.
             */
            speed: number;
            /**
             * @description When the next thing happens by itself: a step of a script or a rule, a random order, or what the protocol of a socket sends at
             *     its time, such as a heartbeat; null if nothing does any more.
             */
            nextDue?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description How many events there were. What sockets and streams alone get or are closed by, such as replies and heartbeats, is no event:
             *     the journal has it.
             */
            count: number;
            /** @description The events, 10,000 at the most; the transcript has more. */
            events: components["schemas"]["EventShape"][];
            /** @description Sockets that wrote nothing for a second and may not have everything yet. */
            leftBehind: number[];
        };
        /**
         * @description What the clock is to do: it is advanced, and then goes on as it is told. A client that leaves before the answer stops
         *     the advance where it is.
         */
        ClockRequest: {
            /**
             * @description `true` stops the clock.
             * @default null
             */
            pause?: boolean | null;
            /**
             * @description `true` lets it go on.
             * @default null
             */
            resume?: boolean | null;
            /**
             * Format: double
             * @description How many times as fast as the machine's it goes, from 0.001 to 100000.
             * @default null
             */
            speed?: number | null;
            /**
             * @description Lets everything of the next while happen now.
             * @default null
             */
            advance?: components["schemas"]["Duration"] | null;
            /**
             * @description Lets everything until that time since the world's start happen now.
             * @default null
             */
            advance_to?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description Lets so many of the next things happen now: steps of scripts and rules, random orders, and what protocols of sockets send.
             * @default null
             */
            step?: number | null;
        };
        /** @description Orders, which are all carried out, in order, or none. */
        OrdersRequest: {
            /** @description The orders. */
            orders: components["schemas"]["OrderRequest"][];
        };
        OrderRequest: {
            /** @description The product. */
            id: string | number;
            /**
             * Format: int64
             * @description What is added to its total.
             */
            amount: number;
        };
        /** @description Steps to run now, all or none. */
        postedSteps: {
            /** @description The steps, at least one. */
            do: components["schemas"]["ruleStep"][] | null;
        };
        /**
         * @description A step: exactly one verb, when it happens, and how often. Without a time it happens when the previous step has
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
             * @description When it happens, counted from the start of the list of steps. Not with `after`.
             * @example 2s
             */
            at?: components["schemas"]["duration"] | null;
            /**
             * @description When it happens, counted from the end of the previous step. Not with `at`.
             * @example 500ms
             */
            after?: components["schemas"]["duration"] | null;
            /**
             * @description How many times it happens: a number, or `forever`, with `every` as the interval. Not with `each`.
             * @default 1
             * @example 100
             * @example forever
             */
            times?: components["schemas"]["repeat"] | null;
            /**
             * @description The time between two of its `times`, or between two items of `each`. At least 1us. Without it, all happen
             *     at once. The first happens at once; `after: 15s` beside `every: 15s` delays it, too.
             * @example 10ms
             */
            every?: components["schemas"]["duration"] | null;
            /**
             * @description An expression: the step happens only if it is true when the step is due.
             * @example chance(0.5)
             */
            when?: string | boolean | number | null;
            /**
             * @description A list, or an expression that gives one: the step happens once for each item. `$item` is the item, `$index`
             *     its position, from 0.
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
             * @description A list of steps. A step's `do` runs at one moment, all or none: if one of its steps is refused, none
             *     takes effect.
             */
            do?: components["schemas"]["ruleStep"][] | null;
            /**
             * @description Sends a frame to this socket: JSON, text as it is, or `{ binary: BASE64 }`. In a `stream`, sends an
             *     event: a mapping with `data`, and optionally `event`, `id`, `retry` and `comment`, or with only
             *     `comment` or `retry`, sets the fields of the event; any other value is its data. Only in streams and
             *     sockets.
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
             *     Socket.IO, `{}` disconnects the client from one namespace, and closes the socket if that was its last.
             *     The steps after it do not run, nor does anything else that waits for the socket or stream. Only in
             *     streams and sockets.
             * @example 4401
             * @example {}
             */
            close?: components["schemas"]["close"] | null;
            /**
             * @description Adds a row to a collection. A row without an `id` gets the next one.
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
             * @description Changes some fields of the row with that `id`.
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
             * @description Replaces the row that has the same `id`.
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
             * @description Removes the row with that id.
             * @example {
             *       "todos": "$path.id"
             *     }
             */
            remove?: {
                [key: string]: unknown;
            } | null;
            /**
             * @description Adds to numeric fields of the row with that `id`.
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
            /** @description Starts a fault, whose times count from then on. */
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
             * @description A topic or a list of topics. Only the steps of an endpoint may omit it: they then send to all sockets of the
             *     endpoint; with Socket.IO, to those in the namespace of the message or of the frame.
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
             * @description JSON that an event must contain to reach the member. Texts may be expressions; an undefined value is an error.
             * @example {
             *       "row": {
             *         "room": "$path.room"
             *       }
             *     }
             */
            where?: unknown;
            /**
             * @description The name of the membership, for `leave`. Another `join` with the same name replaces it, even for other topics:
             *     the old membership ends, with its steps.
             * @example $query.id
             */
            as?: unknown;
            /**
             * @description The frame that the member gets for an event. `$event` is what was sent, `$topic` the topic.
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
             * @description The name of the membership, as its `join` says under `as`.
             * @example sub-1
             */
            as?: unknown;
        };
        /** @description How to close the socket. */
        close: number | string | components["schemas"]["closing"];
        /** @description The code and the reason to close the socket with. */
        closing: {
            /**
             * @description The close code (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014, or 3000 to 4999. Without it, 1000.
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
             * @description What to add to its total, negative for a return: an integer, an expression that gives one, or a range from
             *     which one is drawn each time.
             * @example 10
             * @example {
             *       "min": 1,
             *       "max": 7
             *     }
             */
            amount: number | string | Record<string, never> | null;
        };
        /** @description What `data` is now. */
        DataAnswer: {
            /** @description The collections in declared order, then the values. */
            data: components["schemas"]["NamedDataAnswer"][];
        };
        /** @description A collection or a value. */
        NamedDataAnswer: {
            /** @description Its name. */
            name: string;
            /**
             * Format: uint
             * @description How many rows it has.
             */
            count: number;
            /** @description The first of them. */
            rows: {
                [key: string]: unknown;
            }[];
        } | {
            /** @description Its name. */
            name: string;
            /** @description What it is. */
            value: unknown;
        };
        /** @description All categories with their products. */
        ProductsAnswer: {
            /** @description In declared order. */
            categories: components["schemas"]["ListingAnswer"][];
        };
        /** @description A category with its products. */
        ListingAnswer: {
            /** @description Its name, which is its path. */
            name: string;
            /** @description Its products, as its path lists them. */
            products: {
                [key: string]: unknown;
            }[];
        };
        /** @description What happens by itself. */
        TimelineAnswer: {
            /** @description The world's time. */
            at: components["schemas"]["Duration"];
            /** @description The scripts of orders, then those of general steps, each in declared order. */
            scripts: components["schemas"]["ScriptAnswer"][];
            /** @description The generators, in declared order. */
            generators: components["schemas"]["GeneratorAnswer"][];
            /** @description Scripts of general steps, and what rules do later: the first 100 that are due. */
            waiting: components["schemas"]["WaitingAnswer"][];
        };
        /** @description A script. */
        ScriptAnswer: {
            /** @description What messages call it: its name, or its place; of one of general steps, its key, such as `scripts/morning`. */
            script: string;
            /** @description The world's time when the current repeat began or begins; null for one of general steps that is over. */
            began?: components["schemas"]["Duration"] | null;
            /** @description How long a repeat takes; null for one of general steps, of which that is known only afterwards. */
            length?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint64
             * @description Which repeat this is, from 1.
             */
            round: number;
            /**
             * Format: uint64
             * @description How often it plays; null for ever.
             */
            repeat?: number | null;
            /**
             * Format: uint
             * @description How many steps it has.
             */
            count: number;
            /**
             * Format: uint
             * @description How many of them have begun in this repeat; of one of general steps, how many are before the next.
             */
            begun: number;
            /** @description The world's time when it does something next; null once it is over. */
            due?: components["schemas"]["Duration"] | null;
            /**
             * Format: uint
             * @description How many steps there are before the first that is listed.
             */
            first: number;
            /** @description Its steps around the next one; of one of general steps, that one alone. */
            steps: components["schemas"]["StepAnswer"][];
        };
        /** @description A step. */
        StepAnswer: {
            /** @description The world's time when it happens or happened in this repeat. */
            at: components["schemas"]["Duration"];
            /** @description What was declared, as in scenarios. */
            step: {
                [key: string]: unknown;
            };
        };
        /** @description A generator. */
        GeneratorAnswer: {
            /** @description What messages call it: its place; of one of general steps, its key, such as `random/crowd`. */
            generator: string;
            /** @description The world's time when its own time began. */
            began: components["schemas"]["Duration"];
            /** @description The world's time of its next order; null once it is over. */
            due?: components["schemas"]["Duration"] | null;
            /** @description What was declared, as in scenarios. */
            declared: {
                [key: string]: unknown;
            };
        };
        /** @description Steps that wait for their time. */
        WaitingAnswer: {
            /** @description The key of their rule, such as `scripts/morning`, `triggers/orders` or `POST /orders`; `steps` if they came from outside. */
            rule: string;
            /** @description The world's time of the next of them. */
            due: components["schemas"]["Duration"];
        };
        /** @description All snapshots of a world. */
        SnapshotsAnswer: {
            /** @description By name. */
            snapshots: components["schemas"]["SnapshotAnswer"][];
        };
        /** @description A snapshot to be made. */
        SnapshotRequest: {
            /** @description Its name; one that has it already is replaced. */
            name: string;
        };
        /** @description Entries of a journal. */
        JournalAnswer: {
            /** @description In order. */
            entries: components["schemas"]["EntryShape"][];
            /** @description How many entries are gone because the journal is bounded. */
            dropped: components["schemas"]["Dropped"];
        };
        /** @description What an entry of the journal looks like. */
        EntryShape: {
            /**
             * Format: uint64
             * @description Counts up from 1.
             */
            sequence: number;
            /** @description The world's time. */
            at: components["schemas"]["Duration"];
            /** @description The world's name; not in brief. */
            world?: string | null;
            /** @description What it is about. */
            kind: components["schemas"]["Kind"];
            /** @description A request's method. */
            method?: string | null;
            /** @description A request's path below the world's prefix, decoded, or that of a socket of `websocket`. */
            path?: string | null;
            /** @description A request's query. */
            query?: string | null;
            /** @description The key of the route that answered a request, such as `GET /todos/{id}`. */
            route?: string | null;
            /** @description A request's headers by lower-case name. */
            headers?: {
                [key: string]: string;
            } | null;
            /** @description The JSON of a request's body, or of a frame. Of what a socket with a `protocol` sent, the `msg` of its rules. */
            body?: unknown;
            /** @description What is not JSON. */
            text?: string | null;
            /**
             * Format: uint64
             * @description How many bytes there are that are not even text.
             */
            bytes?: number | null;
            /**
             * Format: uint64
             * @description How long it was, if only its beginning was kept.
             */
            cutFrom?: number | null;
            /** @description A request's answer. */
            answer?: components["schemas"]["AnswerShape"] | null;
            /**
             * Format: uint64
             * @description The socket that was opened or closed, sent something or fell behind, or whose rule failed.
             */
            socket?: number | null;
            /** @description The sockets that a frame was sent to. */
            sockets?: number[] | null;
            /**
             * Format: uint64
             * @description How many sockets a frame was sent to, in brief.
             */
            count?: number | null;
            /**
             * Format: uint16
             * @description The status code of a request's answer, in brief.
             */
            status?: number | null;
            /**
             * Format: uint64
             * @description Which of its route's answers a request got, from 1, in brief; null if it got none of them.
             */
            number?: number | null;
            /**
             * Format: uint64
             * @description The number of the event that a frame tells of.
             */
            event?: number | null;
            /** @description The category that a socket was opened with. */
            category?: string | null;
            /** @description The path of the request that a stream answers. */
            stream?: string | null;
            /** @description Why the rule that fits a message was refused. */
            refused?: string | null;
            /** @description Which rule came nearest to a message, and why it does not fit. */
            nearest?: string | null;
            /**
             * Format: uint16
             * @description The close code.
             */
            code?: number | null;
            /** @description Who closed a socket. */
            by?: string | null;
            /** @description What faults did to a request. */
            faults?: components["schemas"]["MarkShape"][] | null;
            /** @description The fault that did something to a socket or a frame, or in brief to a request. */
            fault?: string | null;
            /** @description What it did; or what became of a stream, or of a socket of `websocket`, that fell behind: `caught up` or `closed`. */
            did?: string | null;
            /** @description What a rule is called that failed; of a message, the number of the rule that fits it, from 1, or null. */
            rule?: components["schemas"]["RuleName"] | null;
            /** @description Why a rule failed, or why one that fell behind was closed. */
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
             * @description Which of its route's answers it is, from 1.
             */
            number?: number | null;
            /** Format: uint16 */
            status: number;
            /** @description What may be wrong with a request that was answered. */
            notes?: string[] | null;
            body?: unknown;
            text?: string | null;
            /** Format: uint64 */
            bytes?: number | null;
            /** Format: uint64 */
            cutFrom?: number | null;
        };
        MarkShape: {
            fault: string;
            did: string;
        };
        /** @description A rule, as the entries of a journal name it. */
        RuleName: number | string;
        /** @description How many entries are no longer in a journal, because it is bounded. */
        Dropped: {
            /**
             * Format: uint64
             * @description Frames to sockets.
             */
            sent: number;
            /**
             * Format: uint64
             * @description Requests, frames from clients, sockets opened and closed, what failed.
             */
            other: number;
        };
        /** @description Whether everything was found as expected. */
        Verdict: {
            /** @description Whether every expectation holds. */
            pass: boolean;
            /** @description Of each expectation, in order. */
            findings: components["schemas"]["Finding"][];
            /** @description How much is no longer in the journal, so that it could not be looked at. */
            dropped: components["schemas"]["Dropped"];
        };
        /** @description What was found for one expectation. */
        Finding: {
            /** @description Whether it holds. */
            pass: boolean;
            /** @description How many entries were expected, in words. */
            expected: string;
            /**
             * Format: uint64
             * @description How many there are.
             */
            count: number;
            /** @description Their numbers. */
            matches: number[];
            /** @description What is wrong, in words; missing if nothing is. */
            why?: string | null;
            /** @description If there are too few: the entries that differ least, the nearest first. */
            nearest: components["schemas"]["NearMiss"][];
        };
        /** @description An entry that is almost as expected. */
        NearMiss: {
            /** @description The entry. */
            entry: {
                [key: string]: unknown;
            };
            /** @description In what it differs. */
            differences: components["schemas"]["Difference"][];
        };
        /** @description One thing in which an entry is not as expected. */
        Difference: {
            /** @description The expectation's field, with the way into a body, such as `body.amount`. */
            field: string;
            /** @description What was expected. */
            expected: unknown;
            /** @description What there is; null if there is no such thing. */
            found: unknown;
        };
        /** @description What to wait for. */
        WaitRequest: {
            /** @description Entries, also such as are in the journal already; `after` leaves these out. */
            for: components["schemas"]["Expectation"];
            /**
             * @description How long, by the machine's time; 5 seconds if nothing is said, 10 minutes at the most.
             * @default 5s
             */
            timeout?: components["schemas"]["Duration"];
        };
        /**
         * @description Entries that a test expects. Every field that is given has to match; those that an entry does not have do not match.
         *     Preflights count only with a `method` of `OPTIONS`. Without `atLeast`, `atMost` and `exactly`, there has to be at least one
         *     such entry.
         */
        Expectation: {
            /** @description The kind of entry. */
            kind?: components["schemas"]["Kind"] | null;
            /**
             * @description A request's method, in any case.
             * @default null
             */
            method?: string | null;
            /**
             * @description A request's path below the world's prefix, decoded; `*` stands for anything. With the kind `opened`, that of a stream or
             *     of a socket of `websocket`; with `received`, that of the socket. A socket is also meant by the key of its endpoint.
             * @default null
             */
            path?: string | null;
            /**
             * @description A request's query without its question mark; `*` stands for anything.
             * @default null
             */
            query?: string | null;
            /**
             * @description Headers of a request by name, in any case; `*` in a value stands for anything.
             * @default null
             */
            headers?: {
                [key: string]: string;
            } | null;
            /**
             * @description The key of the route that answered a request, as the scenario has it, such as `GET /todos/{id}`.
             * @default null
             */
            route?: string | null;
            /**
             * Format: uint16
             * @description The status code of a request's answer.
             * @default null
             */
            status?: number | null;
            /**
             * @description JSON that is in the body of a request, or in a frame: of objects these keys, everything else as it is. What a socket with
             *     a `protocol` received is the `msg` of its rules; what the protocol says for itself, such as heartbeats, is no entry.
             * @default null
             */
            body?: unknown;
            /**
             * @description The whole JSON of the body of a request, or of a frame.
             * @default null
             */
            bodyEquals?: unknown;
            /**
             * @description Text that is in the body of a request, or in a frame.
             * @default null
             */
            bodyContains?: string | null;
            /**
             * Format: uint64
             * @description A socket's number.
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
             * @description The close code that a socket ended with.
             * @default null
             */
            code?: number | null;
            /**
             * @description The number of the rule that fits a message, or what a rule is called that failed.
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
             * @description Only entries after that number.
             * @default null
             */
            after?: number | null;
            /**
             * Format: uint64
             * @description At least so many.
             * @default null
             */
            atLeast?: number | null;
            /**
             * Format: uint64
             * @description So many at the most.
             * @default null
             */
            atMost?: number | null;
            /**
             * Format: uint64
             * @description Exactly so many.
             * @default null
             */
            exactly?: number | null;
        };
        /** @description What to expect of the journal. */
        VerifyRequest: {
            /** @description Each has to hold. */
            expect: components["schemas"]["Expectation"][];
            /**
             * @description Whether the entries of each have to come after those of the one before.
             * @default false
             */
            ordered?: boolean;
        };
        /** @description All open sockets and streams of a world. */
        SocketsAnswer: {
            /** @description In the order in which they were opened. */
            sockets: components["schemas"]["SocketAnswer"][];
            /** @description How many were too slow, also of those that are closed by now. */
            slow: components["schemas"]["SlowAnswer"];
        };
        /** @description An open socket or stream. */
        SocketAnswer: {
            /**
             * Format: uint64
             * @description Its number, from 1 in each world.
             */
            socket: number;
            /** @description The name of its world. */
            world: string;
            /** @description The category that a socket asked for last. */
            category?: string | null;
            /** @description The path of the request that a stream answers, below the world's prefix, decoded. */
            stream?: string | null;
            /** @description The path of an endpoint that the scenario declares, below the world's prefix, decoded. */
            path?: string | null;
            /** @description The topics that a stream, or a socket of such an endpoint, has joined. */
            topics?: string[] | null;
            /** @description The world's time when it was opened. */
            opened: components["schemas"]["Duration"];
            /** @description How long it is open, by the machine's time, in whole milliseconds. */
            age: components["schemas"]["Duration"];
            /**
             * Format: uint64
             * @description Frames or events written to it.
             */
            sent: number;
            /**
             * Format: uint64
             * @description Frames that came from it.
             */
            received: number;
            /**
             * Format: uint64
             * @description Frames or events that wait to be written to it.
             */
            backlog: number;
            /**
             * Format: uint64
             * @description How often it was so far behind that it got what is so now instead of what it had missed: current totals, or the rows
             *     and values of `data` that had changed.
             */
            caughtUp: number;
        };
        /** @description What became of sockets and streams that were further behind than what is kept for them, since the world was made. */
        SlowAnswer: {
            /**
             * Format: uint64
             * @description How often one got what is so now instead of what it had missed: current totals, or the rows and values of `data` that
             *     had changed.
             */
            caughtUp: number;
            /**
             * Format: uint64
             * @description How many were closed, with 1013, or ended, because they had missed something else.
             */
            closed: number;
        };
        /** @enum {string} */
        Sort: "backlog";
        /** @description The sockets that were closed. */
        ClosedAnswer: {
            /** @description Their numbers. */
            closed: number[];
        };
        /** @description How to close. A stream, which knows neither code nor reason, ends. */
        CloseRequest: {
            /**
             * Format: uint16
             * @description The close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999 (RFC 6455, 7.4).
             * @default 1000
             */
            code?: number;
            /**
             * @description The reason, of 123 bytes at the most.
             * @default
             */
            reason?: string;
        };
        /** @description What is to be sent: one of the three. A stream gets it as an event. */
        SendRequest: {
            /**
             * @description A text frame, as it is; the data of an event.
             * @default null
             */
            text?: string | null;
            /**
             * @description A text frame with this JSON; an event with it as its data, or as `event`, `id`, `data`, `retry` and `comment` in it say. A
             *     socket that speaks `socket.io` gets the event that `{ event, args }` is, in the namespace `/` or that of `namespace`. One
             *     that speaks `graphql-transport-ws` gets what is sent to topics, and no other JSON.
             * @default null
             */
            json?: unknown;
            /**
             * @description A binary frame, as it is, in base64 (RFC 4648, 4); the data of an event is that base64.
             * @default null
             */
            binary?: string | null;
        };
        /** @description All worlds. */
        WorldsAnswer: {
            /** @description The default one, then the others by name. */
            worlds: components["schemas"]["WorldAnswer"][];
        };
        /** @description A world. */
        WorldAnswer: {
            /** @description Its name. */
            name: string;
            /** @description What the paths of its API begin with. */
            path: string;
            /**
             * Format: uint64
             * @description The seed of all that is random in it.
             */
            seed: number;
            /** @description Its time. */
            at: components["schemas"]["Duration"];
            /** @description Whether its clock stands still. */
            paused: boolean;
            /**
             * Format: double
             * @description How fast its clock goes.
             */
            speed: number;
            /**
             * Format: uint
             * @description How many sockets are open in it.
             */
            sockets: number;
        };
        /** @description A world to be made. */
        WorldRequest: {
            /** @description Its name: 1 to 64 letters, digits, dots, dashes, underscores or tildes. */
            name: string;
            /**
             * Format: uint64
             * @description A seed of its own; the server's otherwise.
             */
            seed?: number | null;
            /** @description Whether its clock stands still at first; as the server was started otherwise. */
            paused?: boolean | null;
            /**
             * Format: double
             * @description How fast its clock goes; as the server was started otherwise.
             */
            speed?: number | null;
        };
        /** @description All faults of a world. */
        FaultsAnswer: {
            /** @description Those of the scenario first, in declared order. */
            faults: components["schemas"]["FaultAnswer"][];
        };
        /** @description The scenario files that mockd was started with. Folders are looked at anew each time. */
        ScenariosAnswer: {
            /** @description In the order in which they were given, those of a folder by name. */
            scenarios: components["schemas"]["ScenarioAnswer"][];
        };
        /** @description A scenario file. */
        ScenarioAnswer: {
            /** @description Its path as it was given, or that of its folder and its name. */
            file: string;
            /** @description Whether it is the one that is served. */
            serving: boolean;
        };
        /** @description The file to be served. */
        SwitchRequest: {
            /** @description As `GET /__mockd/scenarios` lists it. */
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
            /** @description That the server is well */
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
            /** @description This document */
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
            /** @description The scenario's name and categories */
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
            /** @description The requests that the mock API answers */
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
            /** @description What became of the last save of the scenario */
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
            /** @description The world at this moment */
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
            /** @description Set totals, or data, all or none */
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
            /** @description Back to the scenario's start: totals, products, clock, random streams, journal, snapshots; open sockets stay and get current orders */
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
            /** @description The clock */
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
            /** @description Stop, start, speed up or advance the clock; answered when everything until then has happened and is written to the open sockets */
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
            /** @description Carry out orders, all or none */
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
            /** @description Carry out steps, all or none; later ones belong to the world */
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
            /** @description Every event since the start or reset, as JSON lines */
            200: {
                headers: {
                    /** @description How many of these events are gone, because the transcript is bounded. */
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
            /** @description What `data` is now, in brief */
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
            /** @description All categories with their products */
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
            /** @description What happens by itself, and how far it is */
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
            /** @description The snapshots */
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
            /** @description Keep this moment */
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
            /** @description Drop a snapshot */
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
            /** @description Go back to a snapshot */
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
            /** @description What happened between the world and its clients, without what the built-in page fetches for itself */
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
            /** @description Empty the journal */
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
            /** @description Wait for entries */
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
            /** @description Hold the journal against expectations */
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
            /** @description The open sockets */
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
            /** @description Close all sockets */
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
            /** @description Send a frame to all sockets */
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
            /** @description Close a socket */
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
            /** @description Send a frame to a socket */
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
            /** @description Send a frame to all who have joined a topic, as a step does */
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
            /** @description All worlds */
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
            /** @description Make a world */
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
            /** @description One world */
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
            /** @description Remove a world; its sockets are closed */
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
            /** @description What goes wrong on purpose */
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
            /** @description Bring a fault */
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
            /** @description Lift all faults */
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
            /** @description One fault, by number or name */
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
            /** @description Put another in the place of a fault */
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
            /** @description Lift a fault */
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
            /** @description The scenario files that mockd was started with, and which of them is served */
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
            /** @description Serve another of the scenario files from now on, in all worlds, and follow it; open sockets stay, and so does what is the same in both. Answered when it is done, as `GET /__mockd/reload` is then */
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

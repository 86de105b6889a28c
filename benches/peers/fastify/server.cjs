// A mock backend as a frontend team would write it: products over HTTP, order totals over WebSocket.
// CommonJS, because only `require` supports NODE_PATH. Arguments: port, products file.
"use strict";

const { readFileSync } = require("node:fs");

const [port, productsFile] = process.argv.slice(2);
const products = JSON.parse(readFileSync(productsFile, "utf8"));
const totals = new Map(products.map(({ id }) => [id, 0]));

const app = require("fastify")();
app.register(require("@fastify/cors"));
app.register(require("@fastify/websocket"));

const order = (id) => JSON.stringify({ id, total: totals.get(id) });

const orderBody = { type: "object", required: ["amount"], properties: { amount: { type: "integer" } } };

app.register(async (routes) => {
  routes.get("/electronics", async () => products);

  routes.post("/orders/:id", { schema: { body: orderBody } }, async (request, reply) => {
    const { id } = request.params;
    if (!totals.has(id)) return reply.code(404).send({ error: `Order ${id} not found` });
    totals.set(id, totals.get(id) + request.body.amount);
    const frame = order(id);
    for (const client of app.websocketServer.clients) client.send(frame);
    return { ok: true };
  });

  routes.get("/orders/electronics", { websocket: true }, (socket) => {
    for (const id of totals.keys()) socket.send(order(id));
  });
});

app.listen({ host: "127.0.0.1", port: Number(port) });

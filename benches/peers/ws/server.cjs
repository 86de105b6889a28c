// Answers each WebSocket message with the message's id, as a frontend team would write it by hand.
// CommonJS, because only `require` supports NODE_PATH. Arguments: port, products file.
"use strict";

const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { WebSocketServer } = require("ws");

const [port, productsFile] = process.argv.slice(2);
const products = readFileSync(productsFile);

const server = createServer((request, response) => {
  response.writeHead(request.url === "/electronics" ? 200 : 404, { "content-type": "application/json" });
  response.end(request.url === "/electronics" ? products : "{}");
});

new WebSocketServer({ server, path: "/answers" }).on("connection", (socket) => {
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "get") socket.send(JSON.stringify({ id: message.id, type: "got" }));
  });
  socket.send("ready");
});

server.listen(Number(port), "127.0.0.1");

// A SockJS endpoint at /ws in front of a STOMP broker's TCP port, as a Spring Boot application with a broker relay has one.
// node sockjs_broker.mjs PORT STOMP_PORT
import { createRequire } from "node:module";
import http from "node:http";
import net from "node:net";
import path from "node:path";

const require = createRequire(path.join(process.env.NODE_PATH, "/"));
const sockjs = require("sockjs");
const [port, stomp] = process.argv.slice(2).map(Number);

const endpoint = sockjs.createServer({ log: () => {} });
endpoint.on("connection", (connection) => {
  const broker = net.connect(stomp, "127.0.0.1");
  connection.on("data", (text) => broker.write(text));
  connection.on("close", () => broker.destroy());
  broker.on("data", (bytes) => connection.write(bytes.toString()));
  broker.on("close", () => connection.close());
  broker.on("error", () => connection.close());
});
const server = http.createServer();
// sockjs leaves a connection that its client resets without a handler, which would end the process.
server.on("connection", (socket) => socket.on("error", () => {}));
endpoint.installHandlers(server, { prefix: "/ws" });
server.listen(port, "127.0.0.1", () => console.log("ready"));

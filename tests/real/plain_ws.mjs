// WebSocket servers that speak no protocol, on npm's ws (Debian: node-ws).
//
//     node tests/real/plain_ws.mjs
//
// Prints one line of JSON once they listen on a free port, and serves until it is ended: `ws` is their URL. One path is one
// server, as in plain_servers.py: /echo, /bye, /drop, /reset, /close/CODE, /frames, /subprotocol, /subprotocol/other,
// /basic, /headers, /deaf, /sink, /flood, /ping.

import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { WebSocketServer, version } = load();

/** The library, from where npm or Debian puts it. */
function load() {
  for (const name of ["ws", "/usr/share/nodejs/ws"]) {
    try {
      return { ...require(name), version: require(`${name}/package.json`).version };
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  console.error("the package ws is missing; on Debian: apt-get install node-ws");
  process.exit(1);
}

const WANTED = "v1.chat";
const BASIC = "Basic " + Buffer.from("alice:open sesame").toString("base64");
const REASONS = { 1000: "Bye!", 1011: "internal error", 4001: "kicked: 규칙 위반" };
const FRAMES = [
  Buffer.from([0, 1, 254, 255]),
  "안녕하세요, 한글 메시지입니다. 🦀",
  "control \0\x07\b\x1b\x7f\x85 characters\r\nand lines",
  "bidi \u202eevil\u202c \u2066isolated\u2069",
  "terminal \x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J",
  Buffer.alloc(0),
  "",
  '{"json":{"nested":[1,2,{"deep":"가"}]}}',
];

const echo = (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));

/** Says welcome, and does this at the first message. */
const atFirst = (act) => (socket) => {
  socket.send("Welcome!");
  socket.once("message", (data) => act(socket, data));
};

const ENDPOINTS = {
  echo,
  bye: atFirst((socket, data) => {
    socket.send(`You said: ${data}`);
    socket.close(1000, REASONS[1000]);
  }),
  drop: atFirst((socket) => socket._socket.end()),
  reset: atFirst((socket) => socket._socket.resetAndDestroy()),
  close: (socket, request) => {
    socket.send("Welcome!");
    const code = request.url.split("/")[2];
    if (code === "none") socket.close();
    else socket.close(Number(code), REASONS[code] ?? `code ${code}`);
  },
  frames: (socket) => {
    FRAMES.forEach((frame) => socket.send(frame));
    echo(socket);
  },
  subprotocol: (socket) => {
    socket.send(`chosen: ${socket.protocol}`);
    echo(socket);
  },
  basic: echo,
  headers: (socket, request) => {
    socket.send(JSON.stringify(request.headers));
    echo(socket);
  },
  deaf: (socket) => socket.pause(),
  sink: (socket) => socket.on("message", () => {}),
  flood: (socket) => {
    let number = 0;
    const next = () => socket.readyState === socket.OPEN && socket.send(`message ${number++}`, next);
    next();
  },
  ping: (socket) => {
    socket.once("pong", () => socket.send("alive"));
    socket.ping("are you there");
    echo(socket);
  },
};

const endpoint = (url) => url.split("/")[1];
const offered = (request) => (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());

/** The status of a refusal, and its headers; none where the request is taken. */
function refusal(request) {
  if (!(endpoint(request.url) in ENDPOINTS)) return [404, "Not Found"];
  if (request.url === "/basic" && request.headers.authorization !== BASIC) {
    return [401, "Unauthorized", { "WWW-Authenticate": 'Basic realm="plain", charset="UTF-8"' }];
  }
  if (request.url === "/subprotocol" && !offered(request).includes(WANTED)) return [400, "Bad Request"];
  return undefined;
}

const server = createServer((_, response) => response.writeHead(426).end());
const sockets = new WebSocketServer({
  server,
  perMessageDeflate: true,
  verifyClient: ({ req }, answer) => {
    const [status, message, headers] = refusal(req) ?? [];
    answer(status === undefined, status, message, headers);
  },
  handleProtocols: (_, request) => {
    if (request.url === "/subprotocol") return WANTED;
    return request.url === "/subprotocol/other" ? "x.other" : false;
  },
});
sockets.on("connection", (socket, request) => {
  socket.on("error", () => {}); // the client's end may be abrupt
  ENDPOINTS[endpoint(request.url)](socket, request);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  console.log(JSON.stringify({ server: `ws ${version}`, ws: `ws://127.0.0.1:${port}` }));
});
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(0));

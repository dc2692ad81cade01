// The classic chat server on Socket.IO: whoever says something is heard by all.
//
//     node socketio_server.js MODULE TRANSPORTS RECOVERY
//
// MODULE is the name under which a version of socket.io is installed. Prints its port. POST /emit sends the body to all,
// POST /drop cuts every connection without a word, GET /stats counts.
'use strict'

const http = require('http')

const [, , module_, transports = 'polling,websocket', recovery = ''] = process.argv
let heard = 0

const server = http.createServer((request, response) => {
  const answer = (value) => response.end(JSON.stringify(value))
  let body = ''
  request.on('data', (chunk) => { body += chunk })
  request.on('end', () => {
    if (request.url === '/emit') {
      io.emit('chat-message', JSON.parse(body))
      answer({})
    } else if (request.url === '/drop') {
      for (const socket of connections()) socket.conn.close()
      answer({})
    } else if (request.url === '/stats') {
      answer({ clients: connections().length, heard, transports: connections().map((one) => one.conn.transport.name) })
    } else if (!request.url.startsWith('/socket.io/')) {
      response.statusCode = 404
      response.end()
    }
  })
})

const options = { transports: transports.split(','), cors: { origin: '*' } }
if (recovery) options.connectionStateRecovery = { maxDisconnectionDuration: 120000 }
const loaded = require(module_)
const io = loaded.Server ? new loaded.Server(server, options) : loaded(server, options)

function connections () {
  const { sockets } = io.sockets
  return sockets instanceof Map ? [...sockets.values()] : Object.values(sockets)
}

function chat (socket) {
  socket.on('chat-message', (text, ack) => {
    heard += 1
    io.emit('chat-message', text)
    if (typeof ack === 'function') ack({ ok: true })
  })
  socket.on('silent', (text) => io.emit('silent', text))
  socket.on('bytes', (bytes, ack) => socket.emit('bytes', bytes))
}

io.use((socket, next) => {
  const auth = socket.handshake.auth || socket.handshake.query
  if (auth.token !== 'bad') return next()
  const error = new Error('not authorized')
  error.data = { code: 401 }
  return next(error)
})
io.on('connection', chat)
io.of('/chat').on('connection', (socket) => {
  chat(socket)
  socket.emit('chat-message', { username: 'mina', message: 'welcome to /chat' })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))

// A page's end, as socket.io-client has it: prints what it hears, one JSON text per line, and says what it reads.
//
//     node socketio_client.js URL
'use strict'

const readline = require('readline')
const { io } = require('socket.io-client')

const socket = io(process.argv[2])
socket.on('connect', () => console.log(JSON.stringify({ connected: true })))
socket.on('chat-message', (text) => console.log(JSON.stringify({ heard: text })))
readline.createInterface({ input: process.stdin }).on('line', (line) => socket.emit('chat-message', line))
  .on('close', () => process.exit(0))

#!/usr/bin/env python3
"""What a well-behaved member and a newcomer notice while a hub is attacked: python3 benches/hub_attacks.py [SECONDS]

Runs target/release/duplexctl (another one: DUPLEXCTL=FILE) as a hub on loopback, once for each attack and once without, and prints how
long a member's message waits for its acknowledgement (median, 99th percentile), the longest that a newcomer waited for the welcome, how
many got none within 5 s, and the hub's peak memory. Attackers come from 127.0.0.2. It stops when it is done; Linux only."""
import json, multiprocessing, os, re, secrets, shutil, signal, socket, struct, subprocess, sys, tempfile, time, uuid

PROGRAM = os.environ.get('DUPLEXCTL', 'target/release/duplexctl')
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 8
ATTACKER, MEMBER = '127.0.0.2', '127.0.0.1'
PATIENCE = 5.0


def masked(opcode, payload=b'', final=True):
    """A client's frame (RFC 6455 section 5.2), masked with zeros."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = bytes([0x80 | 126]) + struct.pack('>H', size)
    else:
        length = bytes([0x80 | 127]) + struct.pack('>Q', size)
    return bytes([opcode | (0x80 if final else 0)]) + length + bytes(4) + payload


def text(message):
    return masked(1, json.dumps(message).encode())


def tcp(port, source, timeout=PATIENCE):
    return socket.create_connection(('127.0.0.1', port), timeout, (source, 0))


class Client:
    """A socket that has been through the handshake."""

    def __init__(self, port, token=None, source=MEMBER):
        self.socket, self.buffer = tcp(port, source), b''
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        bearer = f'Authorization: Bearer {token}\r\n' if token else ''
        self.socket.sendall((f'GET /v1/socket HTTP/1.1\r\nHost: localhost\r\n{bearer}Connection: Upgrade\r\nUpgrade: websocket\r\n'
                             'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n').encode())
        while b'\r\n\r\n' not in self.buffer:
            self.receive()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        if b' 101 ' not in head.split(b'\r\n')[0] + b' ':
            raise OSError(head.split(b'\r\n')[0].decode())

    def receive(self):
        part = self.socket.recv(1 << 18)
        if not part:
            raise OSError('the hub closed the connection')
        self.buffer += part

    def send(self, message):
        self.socket.sendall(text(message))

    def wait_for(self, needle):
        """Reads until this stands in what came; what came before it is dropped."""
        while needle not in self.buffer:
            self.buffer = self.buffer[-len(needle):]
            self.receive()
        self.buffer = self.buffer[self.buffer.index(needle) + len(needle):]

    def hello(self, **more):
        self.send({'type': 'hello', 'versions': [1, 1], 'since': 2 ** 50, **more})
        self.wait_for(b'"type":"welcome"')
        return self


class Hub:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='duplex-attacks-')
        with socket.socket() as free:
            free.bind(('127.0.0.1', 0))
            self.port = free.getsockname()[1]
        command = [PROGRAM, 'hub', '--listen', f'127.0.0.1:{self.port}', '--data-dir', self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.time() + 20
        while True:
            try:
                tcp(self.port, MEMBER).close()
                break
            except OSError:
                if time.time() > end or self.process.poll() is not None:
                    sys.exit('the hub did not start')
                time.sleep(.05)

    def person(self, name):
        made = subprocess.run([PROGRAM, 'invite', '--data-dir', self.folder], capture_output=True, text=True, check=True)
        token = secrets.token_hex(32)
        code = re.search(r'invite=([^&\s]+)', made.stdout)[1]
        Client(self.port).hello(invite={'code': code, 'name': name, 'token': token})
        return token

    def peak_mb(self):
        with open(f'/proc/{self.process.pid}/status') as status:
            return int(next(line for line in status if line.startswith('VmHWM')).split()[1]) / 1024

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def crowd(count, begin):
    """An attack that keeps so many connections open, and opens again what the hub closes."""
    def attack(hub_port, token, end):
        held = []
        while time.time() < end:
            while len(held) < count and time.time() < end:
                try:
                    held.append(begin(hub_port, token))
                    held[-1].setblocking(False)
                except OSError:
                    break
            held = [one for one in held if is_open(one)]
            time.sleep(.2)
    return attack


def is_open(one):
    try:
        return one.recv(1, socket.MSG_PEEK) != b''
    except BlockingIOError:
        return True
    except OSError:
        return False


def stream(first, again):
    """An attack that sends the same over one connection without a pause, and comes again when it is closed."""
    def attack(hub_port, token, end):
        while time.time() < end:
            try:
                client = Client(hub_port, token, ATTACKER)
                if token:
                    client.hello()
                client.socket.settimeout(.05)
                client.socket.sendall(first)
                sent = 0
                while time.time() < end:
                    sent += 1
                    try:
                        client.socket.sendall(again(sent) if callable(again) else again)
                    except TimeoutError:
                        pass
                    try:
                        while client.socket.recv(1 << 20):
                            pass
                    except TimeoutError:
                        pass
            except OSError:
                time.sleep(.05)
    return attack


def begin_with(data):
    def begin(hub_port, _):
        one = tcp(hub_port, ATTACKER, 1)
        one.settimeout(.3)
        try:
            one.sendall(data)
        except TimeoutError:
            pass
        return one
    return begin


def half_message(hub_port, token):
    client = Client(hub_port, token, ATTACKER)
    if token:
        client.hello()
    client.socket.settimeout(.3)
    try:
        client.socket.sendall(masked(1, b'{"type":"send","body":"' + b'a' * 900_000, final=False))
    except TimeoutError:
        pass
    return client.socket


def welcomed(hub_port, token):
    return Client(hub_port, token, ATTACKER).hello().socket


def a_message(number):
    return text({'type': 'send', 'id': str(uuid.uuid4()), 'seq': number, 'room': 'general', 'body': 'f' * 65_000, 'at': 1, 'retry': True})


REQUEST = b'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'
HISTORY = text({'type': 'history', 'room': 'general', 'before': 2 ** 40, 'limit': 200}) * 20
# What it is, whether a member does it, over how many processes, and how.
ATTACKS = [
    ('nothing', False, 0, None),
    ('600 connections that ask and never read', False, 1, crowd(600, begin_with(REQUEST * 2_000))),
    ('600 half requests', False, 1, crowd(600, begin_with(b'GET /v1/socket HTTP/1.1\r\nHost: loc'))),
    ('300 half messages of strangers', False, 1, crowd(300, half_message)),
    ('100 half messages of a member', True, 1, crowd(100, half_message)),
    ('2,000 sockets of a member', True, 1, crowd(2_000, welcomed)),
    ('64 KiB messages over 8 connections', True, 8, stream(b'', a_message)),
    ('pages of history over 8 connections', True, 8, stream(b'', HISTORY)),
    ('pings over 4 connections', True, 4, stream(b'', masked(9, b'x' * 125) * 500)),
    ('empty fragments of strangers', False, 4, stream(masked(1, final=False), masked(0, final=False) * 2_000)),
]


def member(hub_port, token, end, waits):
    """Sends a message every 50 ms and measures how long its acknowledgement takes."""
    client, sent, found = Client(hub_port, token).hello(), 0, []
    client.socket.settimeout(30)
    while time.time() < end:
        sent, name = sent + 1, str(uuid.uuid4())
        since = time.perf_counter()
        client.send({'type': 'send', 'id': name, 'seq': sent, 'room': 'general', 'body': 'still here', 'at': 1})
        client.wait_for(b'"type":"ack","id":"' + name.encode())
        found.append((time.perf_counter() - since) * 1000)
        time.sleep(.05)
    waits.put(('acks', found))


def newcomers(hub_port, token, end, waits):
    """Connects twice a second."""
    found = []
    while time.time() < end:
        since = time.perf_counter()
        try:
            Client(hub_port, token).hello().socket.close()
            found.append(time.perf_counter() - since)
        except OSError:
            found.append(None)
        time.sleep(.5)
    waits.put(('newcomers', found))


def measure(by_member, processes, attack):
    hub = Hub()
    try:
        mina, jun, mallory = hub.person('Mina'), hub.person('Jun'), hub.person('Mallory')
        filled = Client(hub.port, mina).hello()
        for number in range(200):
            name = str(uuid.uuid4())
            filled.send({'type': 'send', 'id': name, 'seq': number + 1, 'room': 'general', 'body': 'm' * 8_000, 'at': 1})
            filled.wait_for(b'"type":"ack","id":"' + name.encode())
        filled.socket.close()
        end, waits = time.time() + SECONDS + 3, multiprocessing.Queue()
        token = mallory if by_member else None
        attackers = [multiprocessing.Process(target=attack, args=(hub.port, token, end)) for _ in range(processes)]
        for one in attackers:
            one.start()
        time.sleep(3)
        observers = [multiprocessing.Process(target=task, args=(hub.port, whose, end, waits)) for task, whose in ((member, mina), (newcomers, jun))]
        for one in observers:
            one.start()
        found = dict(waits.get(timeout=SECONDS + 60) for _ in observers)
        peak = hub.peak_mb()
        for one in attackers + observers:
            one.join(5)
            one.kill()
        return found['acks'], found['newcomers'], peak
    finally:
        hub.end()


def main():
    multiprocessing.set_start_method('fork')
    print('| attack | ack, median | ack, 99th percentile | newcomer waits at most | without a welcome | peak memory |')
    print('|---|---|---|---|---|---|')
    for name, by_member, processes, attack in ATTACKS:
        acks, came, peak = measure(by_member, processes, attack)
        acks.sort()
        p99 = acks[min(len(acks) - 1, len(acks) * 99 // 100)]
        slowest = max((wait for wait in came if wait is not None), default=float('nan'))
        missed = sum(wait is None for wait in came)
        print(f'| {name} | {acks[len(acks) // 2]:.0f} ms | {p99:.0f} ms | {slowest * 1000:.0f} ms | {missed} of {len(came)} | {peak:.0f} MB |', flush=True)


if __name__ == '__main__':
    main()

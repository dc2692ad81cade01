"""RabbitMQ killed while duplexctl sends: rounds of it, for `.ci/soak`, or one by `python3 tests/real/stomp_rounds.py`.

In each round messages are sent until the node is killed with SIGKILL in between, and again until each has its receipt; all attempts of a
message have the same id. Then the queue is read. (The queues are made before: RabbitMQ itself loses the definition of a queue that was
made in the last moments before a crash, with everything in it.) The law: every message with a receipt is in the queue at least once, and more
than once only if an attempt of it ended without a receipt.

    STOMP_ROUNDS=50 STOMP_MESSAGES=1000 python3 tests/real/stomp_rounds.py
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from rabbit import Rabbit

DUPLEXCTL = os.environ["DUPLEXCTL"]
FOLDER = pathlib.Path(os.environ.get("REAL_DIR") or tempfile.mkdtemp())
ROUNDS = int(os.environ.get("STOMP_ROUNDS", "1"))
MESSAGES = int(os.environ.get("STOMP_MESSAGES", "40"))
AT_ONCE = 4
PATIENCE = 180
# A queue that says nothing for so long has no more, also on a busy computer.
SILENCE = 45
# The exit codes of `send`.
DONE, TIMED_OUT, UNKNOWN = 0, 4, 5


class Sender:
    """Sends each message until it has a receipt; counts the attempts that ended without one."""

    def __init__(self, url, queue):
        self.url, self.queue = url, queue
        self.without = collections.Counter()
        self.done = threading.Semaphore(0)

    def send(self, text):
        known = str(uuid.uuid4())
        for _ in range(100):
            command = [DUPLEXCTL, "send", self.url, text, "--protocol", "stomp", "--login", "guest", "--destination",
                       self.queue, "--id", known, "--timeout", "5s"]
            environment = {**os.environ, "DUPLEX_PASSWORD": "guest", "HOME": str(FOLDER)}
            code = subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE).returncode
            if code == DONE:
                self.done.release()
                return known
            assert code in (TIMED_OUT, UNKNOWN), f"exit code {code}"
            self.without[known] += 1
        raise AssertionError(f"{text}: no receipt")


def read_queue(rabbit, queue, awaited):
    """The ids of what is in a queue, read by a few lines of STOMP of their own: until the awaited ones are there and nothing
    follows for a moment, or nothing came for long."""
    stream = socket.create_connection(("127.0.0.1", rabbit.stomp))
    stream.sendall(b"CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n\n\0")
    name, *headers = queue.split(" | ")
    extra = "".join(header.replace(": ", ":") + "\n" for header in headers)
    stream.sendall(f"SUBSCRIBE\nid:0\nack:auto\ndestination:{name}\n{extra}\n\0".encode())
    data = b""
    while True:
        are_there = all(known.encode() in data for known in awaited)
        stream.settimeout(2 if are_there else SILENCE)
        try:
            piece = stream.recv(1 << 16)
        except TimeoutError:
            break
        assert piece, f"the connection ended: {data[-500:]}"
        data += piece
    frames = [frame.strip(b"\n").decode() for frame in data.split(b"\0")]
    heads = [frame.split("\n\n")[0].split("\n") for frame in frames if frame.startswith("MESSAGE")]
    return [dict(line.split(":", 1) for line in head[1:])["id"] for head in heads]


def queue_of(number):
    return f"/queue/round-{number} | durable: true | auto-delete: false"


def make_queues(rabbit):
    """Makes the queues of all rounds, and has the node write them down: it stops in an orderly way."""
    stream = socket.create_connection(("127.0.0.1", rabbit.stomp))
    stream.settimeout(PATIENCE)
    stream.sendall(b"CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n\n\0")
    for number in range(ROUNDS):
        headers = f"durable:true\nauto-delete:false\nid:{number}\nreceipt:{number}"
        stream.sendall(f"SUBSCRIBE\n{headers}\ndestination:/queue/round-{number}\n\n\0".encode())
    data = b""
    while data.count(b"RECEIPT") < ROUNDS:
        data += stream.recv(1 << 16)
        assert b"ERROR" not in data, data
    stream.close()
    rabbit.ctl("stop")
    rabbit.process.wait(PATIENCE)
    rabbit.start()


def one_round(rabbit, number):
    queue = queue_of(number)
    sender = Sender(rabbit.tcp_url() if number % 2 else rabbit.web_url(), queue)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        sending = [pool.submit(sender.send, f"message {count}") for count in range(MESSAGES)]
        for _ in range(random.randrange(1, max(2, MESSAGES // 2))):
            assert sender.done.acquire(timeout=PATIENCE)
        rabbit.kill()
        time.sleep(random.random())
        rabbit.start()
        receipted = [one.result(PATIENCE * 10) for one in sending]
    found = collections.Counter(read_queue(rabbit, queue, receipted))
    lost = [known for known in receipted if not found[known]]
    twice = [known for known in found if found[known] > 1 + sender.without[known]]
    assert not lost, f"round {number}: lost {lost}; {rabbit.ctl('list_queues', 'name', 'messages')}"
    assert not twice, f"round {number}: {twice} more often than attempts without a receipt"
    return {"round": number, "messages": len(receipted), "attempts_without_receipt": sum(sender.without.values()),
            "repeated": sum(found.values()) - len(found)}


def main():
    rabbit = Rabbit(FOLDER / "rabbit")
    rabbit.start()
    try:
        make_queues(rabbit)
        for number in range(ROUNDS):
            print(json.dumps(one_round(rabbit, number)), flush=True)
    finally:
        rabbit.stop()


if __name__ == "__main__":
    sys.exit(main())

"""RabbitMQ killed while duplexctl sends: rounds of it, for `.ci/soak`, or one by `python3 tests/real/stomp_rounds.py`.

In each round messages are sent until the node is killed with SIGKILL in between, and again until each has its receipt; all attempts of a
message have the same id. Then the queue is read. The law: every message with a receipt is in the queue at least once, and more
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


def read_queue(rabbit, queue):
    """The ids of what is in a queue, read by a few lines of STOMP of their own."""
    stream = socket.create_connection(("127.0.0.1", rabbit.stomp))
    stream.settimeout(3)
    stream.sendall(b"CONNECT\naccept-version:1.2\nlogin:guest\npasscode:guest\n\n\0")
    name, *headers = queue.split(" | ")
    extra = "".join(header.replace(": ", ":") + "\n" for header in headers)
    stream.sendall(f"SUBSCRIBE\nid:0\nack:auto\ndestination:{name}\n{extra}\n\0".encode())
    data = b""
    try:
        while piece := stream.recv(1 << 16):
            data += piece
    except TimeoutError:
        pass
    frames = [frame.strip(b"\n").decode() for frame in data.split(b"\0")]
    heads = [frame.split("\n\n")[0].split("\n") for frame in frames if frame.startswith("MESSAGE")]
    return [dict(line.split(":", 1) for line in head[1:])["id"] for head in heads]


def one_round(rabbit, number):
    queue = f"/queue/round-{number} | durable: true | auto-delete: false"
    sender = Sender(rabbit.tcp_url() if number % 2 else rabbit.web_url(), queue)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        sending = [pool.submit(sender.send, f"message {count}") for count in range(MESSAGES)]
        for _ in range(random.randrange(1, max(2, MESSAGES // 2))):
            assert sender.done.acquire(timeout=PATIENCE)
        rabbit.kill()
        time.sleep(random.random())
        rabbit.start()
        receipted = [one.result(PATIENCE * 10) for one in sending]
    found = collections.Counter(read_queue(rabbit, queue))
    lost = [known for known in receipted if not found[known]]
    twice = [known for known in found if found[known] > 1 + sender.without[known]]
    assert not lost, f"round {number}: lost {lost}"
    assert not twice, f"round {number}: {twice} more often than attempts without a receipt"
    return {"round": number, "messages": len(receipted), "attempts_without_receipt": sum(sender.without.values()),
            "repeated": sum(found.values()) - len(found)}


def main():
    rabbit = Rabbit(FOLDER / "rabbit")
    rabbit.start()
    try:
        for number in range(ROUNDS):
            print(json.dumps(one_round(rabbit, number)), flush=True)
    finally:
        rabbit.stop()


if __name__ == "__main__":
    sys.exit(main())

"""duplexctl at brokers that others wrote and that speak MQTT: Mosquitto in both versions over TCP, TLS and WebSocket, with its own
clients at the other end; and RabbitMQ, which knows only version 3.1.1.

Needs mosquitto, mosquitto-clients, rabbitmq-server and openssl of the system.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import uuid

from mosquitto import Mosquitto
from rabbit import Rabbit

DUPLEXCTL = os.environ["DUPLEXCTL"]
FOLDER = pathlib.Path(os.environ["REAL_DIR"])
PATIENCE = 90
VERSIONS = ("5", "3.1.1")
# How often the broker is killed while messages are sent.
KILLS = int(os.environ.get("MQTT_KILLS", "3"))


def ctl(*words, password="right", patience=PATIENCE):
    """Runs the console. Returns its exit code and what it printed."""
    environment = {**os.environ, "DUPLEX_PASSWORD": password, "HOME": str(FOLDER)}
    done = subprocess.run([DUPLEXCTL, *words], capture_output=True, text=True, timeout=patience, env=environment)
    return done.returncode, done.stdout, done.stderr


class Lines:
    """A running program and the lines that it prints."""

    def __init__(self, command, password="right"):
        environment = {**os.environ, "DUPLEX_PASSWORD": password, "HOME": str(FOLDER)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self.lines, self.news = [], threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(self.parse(line))
                self.news.notify_all()

    def parse(self, line):
        return line.rstrip("\n")

    def until(self, is_so):
        with self.news:
            assert self.news.wait_for(lambda: is_so(self.lines), PATIENCE), self.lines

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


class Tail(Lines):
    """A running `tail --json`."""

    def __init__(self, url, *words):
        super().__init__([DUPLEXCTL, "tail", url, "--json", *words])

    def parse(self, line):
        return json.loads(line)

    def online(self):
        self.until(lambda lines: any(line.get("state") == "online" for line in lines))
        return self

    def bodies(self):
        return [line["body"] for line in self.lines if line["event"] == "message"]

    def payloads(self, topic):
        return [line.get("payload") for line in self.lines if line.get("topic") == topic]

    def ready(self, url, *words):
        """A subscription may be a moment later than the connection."""
        deadline = time.monotonic() + PATIENCE
        while not self.payloads("ready") and time.monotonic() < deadline:
            code, _, said = ctl("publish", url, "ready", "?", *words)
            assert code == 0, said
            time.sleep(0.1)
        return self


def a_conversation(url, *words):
    """What one sends, the other gets, once and as it was."""
    tail = Tail(url, *words).online().ready(url, *words)
    texts = ["안녕 🦀", "line\nbreak", 'quotes "and" \\ backslashes', "x" * 60_000]
    for text in texts:
        code, _, said = ctl("send", url, "--room", "real", text, *words)
        assert code == 0, said
    tail.until(lambda lines: any(line.get("body") == texts[-1] for line in lines))
    assert tail.bodies() == texts
    assert all(line["room"] == "real" for line in tail.lines if line["event"] == "message")
    for qos in ("1", "2"):
        code, _, said = ctl("publish", url, "plant/1", f"value {qos}", "--qos", qos, *words)
        assert code == 0, said
    code, _, said = ctl("publish", url, "plant/1", "value 0", "--qos", "0", *words)
    assert code == 6 and "unconfirmed" in said, said
    tail.until(lambda lines: len([line for line in lines if line.get("topic") == "plant/1"]) == 3)
    assert tail.payloads("plant/1") == ["value 1", "value 2", "value 0"]
    tail.end()


def with_its_own_clients(broker):
    """A person without Duplex takes part, and reads what Duplex writes."""
    url = broker.tcp_url()
    port = ["-p", str(broker.tcp)]
    for version in VERSIONS:
        tail = Tail(url, "--mqtt-version", version).online().ready(url)
        heard = Lines(["mosquitto_sub", *port, "-V", "5", "-t", "duplex/chat/#", "-v"])
        while not heard.lines:
            subprocess.run(["mosquitto_pub", *port, "-t", "duplex/chat/lab", "-m", "ready?"], check=True)
            time.sleep(0.1)
        for qos in ("0", "1", "2"):
            subprocess.run(["mosquitto_pub", *port, "-t", "duplex/chat/lab", "-m", f"plain {qos}", "-q", qos], check=True)
        text = json.dumps({"sender": "Lee", "text": "as JSON", "id": str(uuid.uuid4())})
        subprocess.run(["mosquitto_pub", *port, "-t", "duplex/chat/lab", "-m", text, "-q", "1"], check=True)
        tail.until(lambda lines: any(line.get("body") == "as JSON" for line in lines))
        bodies = [body for body in tail.bodies() if body != "ready?"]
        # Version 3.1.1 does not say for which subscription a message came.
        plain = bodies if version == "5" else sorted(set(bodies), key=bodies.index)
        assert plain == ["plain 0", "plain 1", "plain 2", "as JSON"], bodies
        assert any(line.get("sender") == "Lee" for line in tail.lines)
        assert ctl("send", url, "--room", "lab", "hello")[0] == 0
        heard.until(lambda lines: any('"text":"hello"' in line for line in lines))
        tail.end()
        heard.end()
    # What the broker keeps comes with each connection, and is marked; an empty message clears it.
    assert ctl("publish", url, "kept/1", "old", "--retain")[0] == 0
    tail = Tail(url, "--topic", "kept/#").online()
    tail.until(lambda lines: any(line.get("topic") == "kept/1" and line["retained"] for line in lines))
    tail.end()
    assert ctl("publish", url, "kept/1", "", "--retain")[0] == 0
    code, _, _ = ctl("publish", url, "bytes", "00 ff", "--hex")
    assert code == 0


def a_device(broker):
    """A lamp that makes itself known as Home Assistant has it: found, read and switched."""
    url, port = broker.tcp_url(), ["-p", str(broker.tcp)]

    def publish(topic, payload, *words):
        subprocess.run(["mosquitto_pub", *port, "-t", topic, "-m", payload, *words], check=True)

    lamp = {"identifiers": ["lamp-1"], "name": "Lamp"}
    switch = {"name": None, "unique_id": "lamp-1", "command_topic": "lamp/set", "state_topic": "lamp/state", "device": lamp}
    publish("homeassistant/switch/lamp-1/config", json.dumps(switch), "-r")
    publish("lamp/state", "OFF", "-r")
    tail = Tail(url).online().ready(url)
    publish("lamp/state", "OFF")
    tail.until(lambda lines: any(line["event"] == "reading" and line["name"] == "Lamp" for line in lines))
    reading = next(line for line in tail.lines if line["event"] == "reading" and line["name"] == "Lamp")
    assert reading["value"] is False
    device, metric = reading["device"], reading["metric"]
    asked = Lines(["mosquitto_sub", *port, "-t", "lamp/set"])

    def obey():
        asked.until(lambda lines: bool(lines))
        publish("lamp/state", asked.lines[0], "-r")

    threading.Thread(target=obey, daemon=True).start()
    code, out, said = ctl("command", url, device, metric, "on")
    assert (code, asked.lines) == (0, ["ON"]), (out, said)
    # What the broker kept counts for a script.
    code, out, said = ctl("read-one", url, device, metric)
    assert (code, out.strip()) == (0, "true"), said
    code, out, said = ctl("read-one", url, "lamp", metric)
    assert (code, out.strip()) == (0, "true"), f"by its name: {said}"
    code, _, said = ctl("read-one", url, "nowhere", metric, "--timeout", "4s")
    assert code == 4 and device in said, f"it names those that are there: {said}"
    code, _, said = ctl("read-one", url, device, "nothing", "--timeout", "4s")
    assert code == 4 and metric in said, said
    code, _, said = ctl("command", url, device, "nothing", "on")
    assert code == 3, said
    for topic in ("homeassistant/switch/lamp-1/config", "lamp/state"):
        assert ctl("publish", url, topic, "", "--retain")[0] == 0
    tail.end()
    asked.end()


def refusals(broker):
    url = broker.guarded_url()
    for version in VERSIONS:
        user = ["--user", "jun", "--mqtt-version", version]
        assert ctl("publish", url, "a", "x", *user)[0] == 0
        code, _, said = ctl("publish", url, "a", "x", *user, password="wrong")
        expected = "not authorized" if version == "5" else "user name or password"
        assert code == 3 and ("not authorized" in said or "user name or password" in said), said
        code, _, said = ctl("tail", url, "--mqtt-version", version)
        assert code == 3 and ("not authorized" in said or "user name or password" in said), (expected, said)
    code, _, said = ctl("tail", broker.tls_url(), "--count", "1")
    assert code == 3 and "certificate" in said, said
    # TLS where there is none, and the reverse.
    code, _, said = ctl("publish", f"mqtts://127.0.0.1:{broker.tcp}", "a", "x", "--timeout", "3s")
    assert code in (3, 4), said


def killed_while_sending(broker, qos):
    """The broker is killed again and again: what Duplex says is delivered was delivered, and with QoS 2 once."""
    url, topic = broker.tcp_url(), f"round/{qos}"
    command = ["mosquitto_sub", "-p", str(broker.tcp), "-t", topic, "-q", qos, "-i", f"listener{qos}", "-c", "-V", "5"]
    subprocess.run([*command, "-x", "3600", "-E"], check=True, timeout=PATIENCE)
    sent, number = [], 0

    def publish(number):
        code, _, _ = ctl("publish", url, topic, str(number), "--qos", qos, "--timeout", "60s")
        if code == 0:
            sent.append(str(number))

    for _ in range(KILLS):
        for _ in range(5):
            number += 1
            publish(number)
        # Mosquitto saves once a second: what it confirmed before is on its disk, what it confirms now it may lose itself.
        time.sleep(2.5)
        number += 1
        last = threading.Thread(target=publish, args=(number,))
        last.start()
        time.sleep(random.uniform(0, 0.15))
        broker.kill()
        broker.start()
        last.join()
    listener = Lines([*command, "-x", "3600"])
    confirmed = set(sent)
    deadline = time.monotonic() + 10
    while confirmed - set(listener.lines) and time.monotonic() < deadline:
        time.sleep(0.2)
    listener.end()
    lost = confirmed - set(listener.lines)
    print(f"QoS {qos}: {len(sent)} of {number} confirmed, {len(listener.lines)} received, {len(lost)} lost by the broker's crash")
    assert len(sent) >= 5 * KILLS and len(lost) <= KILLS, lost
    assert qos != "2" or len(listener.lines) == len(set(listener.lines)), "none came twice"


def rabbit():
    """It closes version 5 without a word; and grants QoS 2 as 1."""
    node = Rabbit(FOLDER / "rabbit", mqtt=True)
    node.start()
    try:
        words = ["--user", "guest", "--password-file", str(FOLDER / "guest")]
        (FOLDER / "guest").write_text("guest")
        (FOLDER / "guest").chmod(0o600)
        for url, more in ((node.mqtt_url(), []), (node.web_mqtt_url(), ["--protocol", "mqtt"])):
            a_conversation(url, *words, *more)
        (FOLDER / "guest").write_text("wrong")
        code, _, said = ctl("publish", node.mqtt_url(), "a", "x", *words)
        assert code == 3 and ("user name or password" in said or "not authorized" in said), said
    finally:
        node.stop()


def main():
    broker = Mosquitto(FOLDER / "mosquitto").start()
    try:
        for version in VERSIONS:
            of_version = ["--mqtt-version", version]
            a_conversation(broker.tcp_url(), *of_version)
            a_conversation(broker.ws_url(), "--protocol", "mqtt", *of_version)
            a_conversation(broker.tls_url(), "--ca-file", str(broker.ca), *of_version)
            a_conversation(broker.wss_url(), "--protocol", "mqtt", "--ca-file", str(broker.ca), *of_version)
        with_its_own_clients(broker)
        a_device(broker)
        refusals(broker)
        for qos in ("1", "2"):
            killed_while_sending(broker, qos)
    finally:
        broker.stop()
    if "--without-rabbit" not in sys.argv:
        rabbit()


main()

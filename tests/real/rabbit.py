"""A RabbitMQ node of one's own, with all its state in one folder, on loopback: started, stopped, killed."""

import os
import pathlib
import signal
import socket
import subprocess
import time

BIN = pathlib.Path("/usr/lib/rabbitmq/bin")
PATIENCE = 180


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def make_certificates(folder):
    """An authority (`ca.pem`) and a certificate for localhost that it signed (`cert.pem`, `key.pem`)."""

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=duplex test CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.csr", "-subj", "/CN=localhost")
    (folder / "san").write_text("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", "cert.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "cert.pem", "-days", "2", "-extfile", "san")


class Rabbit:
    """One node. With `tls`, STOMP is there over TLS, too, with a certificate that `ca` signed; with `mqtt`, MQTT is."""

    def __init__(self, folder, tls=False, name=None, mqtt=False):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.amqp, self.dist, self.web, self.stomp, self.stomps, self.epmd, self.mqtt, self.web_mqtt = free_ports(8)
        self.name = f"{name or 'duplex' + str(self.amqp)}@localhost"
        self.process = None
        self.ca = self.folder / "ca.pem"
        self.tls = tls
        self.has_mqtt = mqtt
        if tls:
            make_certificates(self.folder)
        self.configure()

    def web_url(self):
        return f"ws://127.0.0.1:{self.web}/ws"

    def tcp_url(self):
        return f"stomp://127.0.0.1:{self.stomp}"

    def tls_url(self):
        return f"stomps://localhost:{self.stomps}"

    def mqtt_url(self):
        return f"mqtt://127.0.0.1:{self.mqtt}"

    def web_mqtt_url(self):
        return f"ws://127.0.0.1:{self.web_mqtt}/ws"

    def configure(self):
        lines = [
            f"listeners.tcp.1 = 127.0.0.1:{self.amqp}",
            "web_stomp.tcp.ip = 127.0.0.1",
            f"web_stomp.tcp.port = {self.web}",
            f"stomp.listeners.tcp.1 = 127.0.0.1:{self.stomp}",
            "loopback_users = none",
            "log.console = false",
            "log.file.level = info",
            # A disk that fills up elsewhere is not what is tested.
            "disk_free_limit.absolute = 1MB",
        ]
        if self.tls:
            lines += [
                f"stomp.listeners.ssl.1 = 127.0.0.1:{self.stomps}",
                f"ssl_options.cacertfile = {self.ca}",
                f"ssl_options.certfile = {self.folder / 'cert.pem'}",
                f"ssl_options.keyfile = {self.folder / 'key.pem'}",
                "ssl_options.verify = verify_none",
                "ssl_options.fail_if_no_peer_cert = false",
            ]
        plugins = "rabbitmq_stomp,rabbitmq_web_stomp"
        if self.has_mqtt:
            plugins += ",rabbitmq_mqtt,rabbitmq_web_mqtt"
            lines += [
                f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt}",
                "web_mqtt.tcp.ip = 127.0.0.1",
                f"web_mqtt.tcp.port = {self.web_mqtt}",
            ]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "enabled_plugins").write_text(f"[{plugins}].\n")
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text("duplexduplexduplex")
            cookie.chmod(0o400)

    def environment(self):
        loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        return {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(self.dist),
            "RABBITMQ_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "generated"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{loopback} +S 2:2 +sbwt none",
            "RABBITMQ_CTL_ERL_ARGS": loopback,
        }

    def start(self):
        """Starts the node, and waits until it takes STOMP."""
        out = open(self.folder / "output.log", "ab")
        self.process = subprocess.Popen(
            [BIN / "rabbitmq-server"], env=self.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )
        ports = [self.web, self.stomp] + ([self.stomps] if self.tls else [])
        ports += [self.mqtt, self.web_mqtt] if self.has_mqtt else []
        deadline = time.monotonic() + PATIENCE
        for port in ports:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if self.process.poll() is not None or time.monotonic() > deadline:
                        raise SystemExit(f"RabbitMQ did not start: see {self.folder}/output.log") from None
                    time.sleep(0.1)

    def kill(self):
        """Ends the node at once, as a loss of power would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def ctl(self, *words):
        command = [BIN / "rabbitmqctl", "-q", "-n", self.name, *words]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout

    def stop(self):
        self.kill()
        subprocess.run(["epmd", "-port", str(self.epmd), "-kill"], capture_output=True, check=False)

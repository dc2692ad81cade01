"""A Mosquitto broker of one's own, with all its state in one folder, on loopback: started, stopped, killed."""

import pathlib
import shutil
import signal
import socket
import subprocess
import time

from rabbit import free_ports, make_certificates

PATIENCE = 60
PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/sbin:/bin")


class Mosquitto:
    """One broker: without and with a password (jun / right), over TCP, TLS (by the authority `ca`), WebSocket and both."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tcp, self.tls, self.ws, self.wss, self.guarded = free_ports(5)
        self.ca = self.folder / "ca.pem"
        self.process = None
        make_certificates(self.folder)
        self.configure()

    def tcp_url(self):
        return f"mqtt://127.0.0.1:{self.tcp}"

    def tls_url(self):
        return f"mqtts://localhost:{self.tls}"

    def ws_url(self):
        return f"ws://127.0.0.1:{self.ws}/mqtt"

    def wss_url(self):
        return f"wss://localhost:{self.wss}/mqtt"

    def guarded_url(self):
        return f"mqtt://127.0.0.1:{self.guarded}"

    def configure(self):
        passwords = self.folder / "passwords"
        passwords.write_text("")
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, "jun", "right"], check=True, capture_output=True)
        (self.folder / "data").mkdir(exist_ok=True)
        tls = [f"cafile {self.ca}", f"certfile {self.folder}/cert.pem", f"keyfile {self.folder}/key.pem"]
        lines = ["user root", "per_listener_settings true", "allow_anonymous true", "sys_interval 1", "max_queued_messages 0"]
        lines += [f"persistence_location {self.folder}/data/", f"log_dest file {self.folder}/log"]

        def listener(port, *more, is_open=True):
            lines.extend([f"listener {port} 127.0.0.1", "socket_domain ipv4", *more, "persistence true", "autosave_interval 1"])
            lines.append(f"allow_anonymous {'true' if is_open else 'false'}")

        listener(self.tcp)
        listener(self.tls, *tls)
        listener(self.ws, "protocol websockets")
        listener(self.wss, "protocol websockets", *tls)
        listener(self.guarded, f"password_file {passwords}", is_open=False)
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def start(self):
        command = [PROGRAM, "-c", self.folder / "mosquitto.conf"]
        output = (self.folder / "output").open("ab")
        self.process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + PATIENCE
        for port in (self.tcp, self.ws, self.guarded):
            while True:
                assert self.process.poll() is None, (self.folder / "output").read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, "mosquitto does not listen"
                    time.sleep(0.05)
        return self

    def kill(self):
        """As a crash."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

"""The transport against WebSocket servers that others wrote: Python's websockets and npm's ws."""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def start(*command):
    """Starts a program that prints a line of JSON once it is ready. Returns it and what it printed."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    line = program.stdout.readline()
    if not line:
        sys.exit(f"{' '.join(command)} ended with {program.wait()}")
    return program, json.loads(line)


folder = pathlib.Path(os.environ["REAL_DIR"])
programs = []
try:
    for command in (["/usr/bin/python3", str(HERE / "plain_servers.py"), str(folder)], ["node", str(HERE / "plain_ws.mjs")]):
        programs.append(start(*command))
    servers = [said for _, said in programs]
    print("servers:", ", ".join(said["server"] for said in servers), flush=True)
    cargo = ["cargo", "test", "--locked", "--test", "transport", "--", "--ignored", "--nocapture", "plain_servers"]
    done = subprocess.run(cargo, cwd=HERE.parent.parent, env={**os.environ, "PLAIN_SERVERS": json.dumps(servers)})
finally:
    for program, _ in programs:
        program.terminate()
        program.wait(10)
sys.exit(done.returncode)

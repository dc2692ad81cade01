#!/usr/bin/python3
"""HAProxy before a hub that is restarted every three seconds. It ends what was idle for two: tunnels, streams and held requests. Over each
transport, a client behind it and one beside it send each other numbered messages: each comes once and in order. The clients are those
of tests/routes.rs."""

import os
import pathlib
import shutil
import subprocess
import sys

MESSAGES = os.environ.get("HAPROXY_MESSAGES", "150")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

haproxy = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
if not haproxy:
    print("left out: there is no HAProxy here")
    sys.exit(0)
profile = os.environ.get("REAL_PROFILE", "dev")
words = ["cargo", "test", "--locked", "--profile", profile, "--test", "routes", "--", "--nocapture", "while_its_hub_is_restarted"]
environment = {**os.environ, "DUPLEX_ROUTES_HAPROXY": haproxy, "DUPLEX_ROUTES_MESSAGES": MESSAGES}
done = subprocess.run(words, cwd=ROOT, env=environment)
print("PASSED" if done.returncode == 0 else "FAILED")
sys.exit(done.returncode)

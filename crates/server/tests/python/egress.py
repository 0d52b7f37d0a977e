"""A server whose functions may reach the public internet: what they reach, and that this host is none of it.

Where it can be made, a network of its own stands for the world: needs root and iproute2.
"""

import os
import shutil
import socket
import subprocess
import sys

from given import *

CODE = '''
import errno, socket

def ask(event):
    with socket.create_connection((event["host"], event["port"]), timeout=10) as connection:
        connection.sendall(event.get("say", "").encode())
        connection.shutdown(socket.SHUT_WR)
        heard = b""
        while piece := connection.recv(65536):
            heard += piece
        return [len(heard), heard[:40].decode("latin-1")]

def handler(event, context):
    try:
        return ask(event)
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
'''

WORLD = "203.0.113.2"
SERVER = f'''
import socket
listener = socket.create_server(("{WORLD}", 8080))
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    heard = b""
    while piece := connection.recv(65536):
        heard += piece
    connection.sendall(b"heard " + str(len(heard)).encode() + b" " + b"x" * 3000000)
    connection.close()
'''


def own_addresses():
    """Those that this host has, loopback and, if it has a way out, the one that it goes by."""
    addresses = ["127.0.0.1", "127.0.0.2", "169.254.169.254", "0.0.0.0"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            addresses.append(probe.getsockname()[0])
        except OSError:
            pass
    return addresses


def this_host_is_out_of_reach():
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.settimeout(0)
        port = listener.getsockname()[1]
        server = urllib.parse.urlparse(ENDPOINT).port
        for address in own_addresses():
            for wanted in (port, server):
                said = invoke("walker", {"host": address, "port": wanted})["Payload"]
                assert said in ("ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH"), (address, wanted, said)
        try:
            raise AssertionError(f"somebody came: {listener.accept()}")
        except BlockingIOError:
            pass


class World:
    """A network namespace with one server in it, reached through a pair of devices."""

    def __init__(self):
        self.name = f"pitbird-{os.getpid()}"
        self.device = f"pb{os.getpid()}"[:14]

    def run(self, *words):
        subprocess.run(words, check=True, capture_output=True)

    def __enter__(self):
        self.run("ip", "netns", "add", self.name)
        self.run("ip", "link", "add", self.device, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.run("ip", "addr", "add", "203.0.113.1/30", "dev", self.device)
        self.run("ip", "link", "set", self.device, "up")
        inside = ("ip", "-n", self.name)
        self.run(*inside, "addr", "add", f"{WORLD}/30", "dev", "eth0")
        self.run(*inside, "link", "set", "eth0", "up")
        command = ("ip", "netns", "exec", self.name, sys.executable, "-c", SERVER)
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.server.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.server.kill()
        self.server.wait()
        subprocess.run(("ip", "netns", "del", self.name), capture_output=True)


def the_world_is_reached():
    if os.geteuid() != 0 or not shutil.which("ip"):
        return print("SKIPPED: no network can be made to stand for the world")
    try:
        world = World().__enter__()
    except subprocess.CalledProcessError as error:
        return print(f"SKIPPED: no network can be made to stand for the world: {error.stderr}")
    try:
        said = invoke("walker", {"host": WORLD, "port": 8080, "say": "y" * 100000})["Payload"]
        assert said[0] == len("heard 100000 ") + 3000000 and said[1].startswith("heard 100000 x"), said
        assert invoke("walker", {"host": WORLD, "port": 8081})["Payload"] == "ECONNREFUSED"
        # The host's end of the pair is an address of this host.
        assert invoke("walker", {"host": "203.0.113.1", "port": 8080})["Payload"] == "ECONNREFUSED"
    finally:
        world.__exit__()


function("walker", CODE, role("walker"), Timeout=20)
this_host_is_out_of_reach()
the_world_is_reached()

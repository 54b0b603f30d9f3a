"""What every Python client script needs: where the server is, and how to end."""

import hashlib
import json
import os
import ssl
import sys

HOST = os.environ["MANSIO_HOST"]
PORT = int(os.environ["MANSIO_IMAPS_PORT"])
USER = os.environ["MANSIO_USER"]
PASSWORD = os.environ["MANSIO_PASSWORD"]
# Seconds; a server that is silent for longer has lost the client.
ANSWER_TIMEOUT = 60


def tls():
    """A context that trusts the server's own certificate and nothing else, and checks its name."""
    return ssl.create_default_context(cafile=os.environ["MANSIO_CA"])


def digest(message):
    return hashlib.sha256(message).hexdigest()


def report(value):
    json.dump(value, sys.stdout)

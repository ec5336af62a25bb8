# SPDX-License-Identifier: ISC
"""The published log as C2SP's words have it (tlog-tiles, tlog-checkpoint,
signed-note), read and written without a line of the gateway's own."""

import base64
import hashlib
import json
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SHOWN = {"accepted", "waiting", "signed", "fetched", "archived", "purged", "rot-found", "crl-kept"}


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(data):
    return sha256(b"\0" + data)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def root(hashes):
    """RFC 9162 2.1.1, over any nodes of one level"""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        odd = [hashes[-1]] if len(hashes) % 2 else []
        hashes = [node_hash(*hashes[i:i + 2]) for i in range(0, len(hashes) - 1, 2)] + odd
    return hashes[0]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def make_leaf(event, at, kind, detail, salt, actor="gateway", submission=None, notice=None):
    """(leaf, opening), both bytes"""
    leaf = {"actor": actor, "at": at, "event": event, "kind": kind, "v": 1,
            "detail": sha256(salt + canonical(detail).encode()).hex()}
    if submission:
        leaf["submission"] = submission
    if notice:
        leaf["notice"] = notice
    if kind in SHOWN and detail.get("sha256"):
        leaf["sha256"] = detail["sha256"]
    return canonical(leaf).encode(), canonical({"detail": detail, "salt": salt.hex()}).encode()


def number_path(n):
    text = f"{n % 1000:03}"
    while n := n // 1000:
        text = f"x{n % 1000:03}/{text}"
    return text


# --- keys and notes ------------------------------------------------------------

class Key:
    def __init__(self, name, seed):
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self.private.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public = b"\1" + raw
        self.id = sha256(name.encode() + b"\n" + self.public)[:4]

    def pem(self):
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption())

    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.public).decode()}"

    def checkpoint(self, size, tree):
        text = f"{self.name}\n{size}\n{base64.b64encode(tree).decode()}\n".encode()
        sig = base64.b64encode(self.id + self.private.sign(text))
        return text + b"\n\xe2\x80\x94 " + self.name.encode() + b" " + sig + b"\n"


def open_checkpoint(note, vkey):
    """(size, root); raises where it does not verify"""
    name, _, public = vkey.split("+", 2)
    public = base64.b64decode(public)
    text, signatures = note.decode().rsplit("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, who, sig = line.split(" ")
        sig = base64.b64decode(sig)
        if dash == "\u2014" and who == name and sig[:4] == sha256(name.encode() + b"\n" + public)[:4]:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(sig[4:], text.encode())
            break
    else:
        raise ValueError("not signed by the key")
    origin, size, tree = text.splitlines()[:3]
    assert origin == name
    return int(size), base64.b64decode(tree)


# --- reading ---------------------------------------------------------------------

def read(*parts):
    with open(os.path.join(*parts), "rb") as f:
        return f.read()


def tile(directory, level, n, width):
    path = os.path.join(directory, "tile", str(level), number_path(n))
    return read(path if width == 256 else f"{path}.p/{width}")


def read_leaves(directory, size):
    leaves = []
    for n in range((size + 255) // 256):
        width = min(256, size - 256 * n)
        data = tile(directory, "entries", n, width)
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            leaves.append(data[2:2 + length])
            data = data[2 + length:]
        assert not data
    return leaves


def checkpoints(directory):
    """[(size, day)] in the order of sizes"""
    top = os.path.join(directory, "checkpoints")
    return sorted((int(name), day) for day in os.listdir(top) for name in os.listdir(os.path.join(top, day))
                  if name.isdigit())


# --- writing ---------------------------------------------------------------------

def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def write_tiles(directory, leaves):
    """All tiles of one tree"""
    for n in range(0, len(leaves), 256):
        part = leaves[n:n + 256]
        path = os.path.join(directory, "tile/entries", number_path(n // 256))
        write(path if len(part) == 256 else f"{path}.p/{len(part)}",
              b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in part))
    level, hashes = 0, [leaf_hash(leaf) for leaf in leaves]
    while hashes:
        for n in range(0, len(hashes), 256):
            part = hashes[n:n + 256]
            path = os.path.join(directory, "tile", str(level), number_path(n // 256))
            write(path if len(part) == 256 else f"{path}.p/{len(part)}", b"".join(part))
        hashes = [root(hashes[n:n + 256]) for n in range(0, len(hashes) - 255, 256)]
        level += 1


def write_checkpoint(directory, key, size, tree, day, newest=True):
    note = key.checkpoint(size, tree)
    write(os.path.join(directory, "checkpoints", day, str(size)), note)
    if newest:
        write(os.path.join(directory, "checkpoint"), note)
    return note


def write_log(directory, key, leaves, sizes):
    """Tiles of the whole tree, a checkpoint for each (size, day)"""
    write_tiles(directory, leaves)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    for size, day in sizes:
        write_checkpoint(directory, key, size, root(hashes[:size]), day)
    write(os.path.join(directory, "key"), key.vkey().encode() + b"\n")


def write_openings(directory, openings):
    for n in range(0, len(openings), 256):
        write(os.path.join(directory, number_path(n // 256)), b"".join(o + b"\n" for o in openings[n:n + 256]))

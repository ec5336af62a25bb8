# SPDX-License-Identifier: ISC
"""SFTP (version 3) packet by packet, for what no client library sends."""

import struct

import paramiko

OPEN, CLOSE, READ, WRITE, FSTAT, FSETSTAT, READDIR, REMOVE, REALPATH, STAT = 3, 4, 5, 6, 8, 10, 12, 13, 16, 17


class Wire:
    """SFTP packets as one likes."""

    def __init__(self, market, user="PLA001", init=True):
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self.client.connect("127.0.0.1", market.port, username=user, key_filename=f"{market.pki}/{user}.ssh",
                            allow_agent=False, look_for_keys=False, timeout=30)
        self.channel = self.client.get_transport().open_session()
        self.channel.invoke_subsystem("sftp")
        self.channel.settimeout(20)
        if init:
            assert self.ask(1, 3)[0] == 2

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.client.close()

    @staticmethod
    def packet(kind, *fields):
        """Integers are 32 bits, (n,) is 64, bytes and text are strings."""
        out = bytes([kind])
        for f in fields:
            if isinstance(f, int):
                out += struct.pack(">I", f)
            elif isinstance(f, tuple):
                out += struct.pack(">Q", *f)
            else:
                f = f.encode() if isinstance(f, str) else f
                out += struct.pack(">I", len(f)) + f
        return struct.pack(">I", len(out)) + out

    def receive(self):
        """One packet as (type, payload); None where the connection ended."""
        data = b""
        while len(data) < 4 or len(data) < 4 + struct.unpack(">I", data[:4])[0]:
            want = 4 if len(data) < 4 else 4 + struct.unpack(">I", data[:4])[0]
            more = self.channel.recv(want - len(data))
            if not more:
                return None
            data += more
        return data[4], data[5:]

    def ask(self, kind, *fields):
        self.channel.sendall(self.packet(kind, *fields))
        return self.receive()

    def status(self, kind, *fields):
        """The status code that is answered, -1 for another answer."""
        kind, payload = self.ask(kind, *fields)
        return struct.unpack(">I", payload[4:8])[0] if kind == 101 else -1

    def open(self, path, flags=0x1a):
        kind, payload = self.ask(3, 1, path, flags, 0)
        return payload[8:] if kind == 102 else None

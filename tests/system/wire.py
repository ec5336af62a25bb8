# SPDX-License-Identifier: ISC
"""SFTP (version 3) packet by packet, for what no client library sends."""

import socket
import struct

import paramiko

import lib

OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, SETSTAT, FSETSTAT = 3, 4, 5, 6, 7, 8, 9, 10
OPENDIR, READDIR, REMOVE, MKDIR, RMDIR, REALPATH, STAT, RENAME, SYMLINK = 11, 12, 13, 14, 15, 16, 17, 18, 20
EXTENDED, ATTRS = 200, 105

# Status codes
OK, EOF, NO_SUCH_FILE, DENIED, FAILURE = 0, 1, 2, 3, 4

# OPEN's flags
R, W, APPEND, CREAT, TRUNC, EXCL = 1, 2, 4, 8, 16, 32

SIZE = 1		# the flag of a size in attributes


class Wire:
    """SFTP packets as one likes."""

    def __init__(self, market, user="PLA001", init=True, source="127.0.0.1"):
        self.text = ""		# of the status that came last
        self.client = paramiko.SSHClient()
        self.client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        self.socket = socket.create_connection(("127.0.0.1", market.port), lib.LIMIT, (source, 0))
        try:
            self.client.connect("127.0.0.1", market.port, username=user, key_filename=f"{market.pki}/{user}.ssh",
                                allow_agent=False, look_for_keys=False, timeout=lib.LIMIT, sock=self.socket)
            self.channel = self.client.get_transport().open_session()
            self.channel.invoke_subsystem("sftp")
            self.channel.settimeout(20)
        except BaseException:
            self.client.close()
            self.socket.close()
            raise
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

    def code(self, answer):
        """The status code of an answer, -1 for another kind; its text is in self.text."""
        kind, payload = answer
        if kind != 101:
            self.text = ""
            return -1
        code, n = struct.unpack(">II", payload[4:12])
        self.text = payload[12:12 + n].decode()
        return code

    def status(self, kind, *fields):
        """The status code that is answered, -1 for another answer."""
        return self.code(self.ask(kind, *fields))

    def open(self, path, flags=W | CREAT | TRUNC, kind=OPEN):
        """A handle, or None and the reason is in self.text."""
        answer = self.ask(kind, 1, path, *([flags, 0] if kind == OPEN else []))
        if answer[0] == 102:
            return answer[1][8:]
        assert self.code(answer) > 0
        return None

    def refused(self, path, flags=W | CREAT | TRUNC):
        """The status code of an OPEN that must give no handle."""
        return self.status(OPEN, 1, path, flags, 0)

    def write(self, handle, data, offset=0, size=32768):
        """Written in order and in pieces, all on their way at once: the status codes."""
        pieces = range(0, len(data), size)
        self.channel.sendall(b"".join(self.packet(WRITE, 1, handle, (offset + at,), data[at:at + size])
                                      for at in pieces))
        return [self.code(self.receive()) for _ in pieces]

    def upload(self, path, data, flags=W | CREAT | TRUNC):
        """Send it whole; the status of the close."""
        handle = self.open(path, flags)
        assert handle is not None, self.text
        assert set(self.write(handle, data)) <= {OK}, self.text
        return self.status(CLOSE, 1, handle)

    def size(self, path):
        """What STAT says, None where there is no such file."""
        kind, payload = self.ask(STAT, 1, path)
        return struct.unpack(">Q", payload[8:16])[0] if kind == ATTRS else None

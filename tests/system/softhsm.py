# SPDX-License-Identifier: ISC
"""A PKCS#11 token of SoftHSM's in a folder of its own, with keys that were made
on it and cannot leave it."""

import os
import shutil

from cryptography.hazmat.primitives import serialization

import lib

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "7351902846"		# of digits that nothing else holds: logs are searched for it


def available():
    return os.path.exists(MODULE) and shutil.which("softhsm2-util") and shutil.which("pkcs11-tool")


class Token:
    def __init__(self, folder, label):
        self.label, self.folder = label, folder
        self.tokens = os.path.join(folder, "tokens")
        os.makedirs(self.tokens)
        os.chmod(folder, 0o755)
        self.conf = os.path.join(folder, "softhsm2.conf")
        with open(self.conf, "w") as f:
            f.write(f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\n"
                    "log.level = ERROR\nslots.removable = false\n")
        self.env = dict(os.environ, SOFTHSM2_CONF=self.conf)
        self.pin_file = os.path.join(folder, "pin")
        self.set_pin_file(PIN)
        self.util("--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "8" * 10)

    def set_pin_file(self, pin):
        with open(self.pin_file, "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(pin + "\n")

    def util(self, *argv):
        lib.run("softhsm2-util", *argv, env=self.env)

    def tool(self, *argv):
        return lib.run("pkcs11-tool", "--module", MODULE, "--token-label", self.label, "--login", "--pin", PIN,
                       *argv, env=self.env).stdout

    def make_key(self, kind, label, ident):
        """kind: rsa:2048, EC:prime256v1, EC:secp384r1; its public half."""
        self.tool("--keypairgen", "--key-type", kind, "--label", label, "--id", ident)
        # pkcs11-tool cannot write every one of these, ssh-keygen names each by its label
        for line in lib.run("ssh-keygen", "-D", MODULE, env=self.env).stdout.splitlines():
            if line.split()[2:] == [label]:
                return serialization.load_ssh_public_key(line.encode())
        raise AssertionError(f"{label}: no such key on the token")

    def uri(self, label, *, pin=True, module=True):
        query = [f"module-path={MODULE}"] if module else []
        query += [f"pin-source=file:{self.pin_file}"] if pin else []
        return f"pkcs11:token={self.label};object={label};type=private" + ("?" + "&".join(query) if query else "")

    def give_to(self, uid):
        """From now on it is that user's (the tools above run as root and still may)."""
        for at, _, files in os.walk(self.folder):
            os.chown(at, uid, -1)
            for name in files:
                os.chown(os.path.join(at, name), uid, -1)

    def go(self):
        os.rename(self.tokens, self.tokens + ".away")

    def come_back(self):
        os.rename(self.tokens + ".away", self.tokens)

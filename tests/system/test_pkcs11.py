# SPDX-License-Identifier: ISC
"""Keys on a PKCS#11 token (SoftHSM): the gateway's signing key, a member's, and
one that opens the door by OpenSSH's PKCS11Provider."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import subprocess
import time

import lib
import pki
import softhsm

SIGNER = 59907		# the signer's uid where root starts a market (tests/market)
KINDS = {"rsa": "rsa:2048", "p256": "EC:prime256v1", "p384": "EC:secp384r1"}


def user_of(kind):
    return {"rsa": "PLA002", "p256": "PLA003", "p384": "PLA004"}[kind]


def muhur(*argv, ok=(0,), **kw):
    return lib.run(os.path.join(market.bin, "muhur"), *argv, ok=ok, env=member.env, **kw)


def sign(user, xml, uri, ok=(0,), **kw):
    src, dst = os.path.join(market.dir, "token-in.xml"), os.path.join(market.dir, "token-out.xml")
    with open(src, "w") as f:
        f.write(xml)
    if os.path.exists(dst):
        os.unlink(dst)
    p = muhur("sign", "--key", uri, "--cert", f"{market.dir}/{user}.pem", "--chain", f"{market.pki}/subca.pem",
              src, dst, ok=ok, **kw)
    if p.returncode != 0:
        assert not os.path.exists(dst)
        return p
    with open(dst, "rb") as f:
        return f.read()


def keys():
    """the keys were made on the token, are sensitive and cannot be extracted"""
    objects = member.tool("--list-objects", "--type", "privkey").split("Private Key Object")[1:]
    assert len(objects) == len(KINDS) + 1
    for o in objects:
        assert "sensitive, always sensitive, never extractable, local" in o, o


def command():
    """muhur sign by a token's RSA, P-256 and P-384 key: muhur verify and xmlsec1 agree, the gateway accepts"""
    for kind in KINDS:
        user = user_of(kind)
        doc = sign(user, market.balance_report(user), member.uri(kind))
        out = os.path.join(market.dir, "token-out.xml")
        got = muhur("verify", "--trust", f"{market.pki}/trust.pem", "--crl", f"{market.pki}/crl.pem", out).stdout
        assert "VALID" in got and "INVALID" not in got, got
        assert market.verify_xmlsec(doc).returncode == 0
        name = f"token-{kind}.xml"
        with market.sftp(user, f"{market.pki}/PLA001.ssh") as s:
            lib.put(s, doc, name)
        _, decision = market.answer(name, "PLA001")
        assert decision.codes == [], (kind, decision.codes)


def refused():
    """a URI that names no key or holds the PIN, a wrong PIN, another key than the certificate's: nothing is signed"""
    xml = market.balance_report("PLA003")
    uri = member.uri("p256")
    for what, wrong, says in (
            ("no such token", uri.replace("token=member", "token=other"), "there is no such token"),
            ("no such key", uri.replace("object=p256", "object=none"), "no such private key"),
            ("several keys", uri.replace("object=p256;", ""), "several private keys"),
            ("the PIN in the URI", member.uri("p256", pin=False) + f"&pin-value={softhsm.PIN}", "must not hold the PIN"),
            ("no such module", uri.replace("libsofthsm2", "libnone"), "PKCS#11 module"),
            ("no module at all", uri.replace(softhsm.MODULE, "/lib/x86_64-linux-gnu/libc.so.6"), "no PKCS#11 module"),
            ("another key of that kind", member.uri("spare"), "does not belong to the certificate"),
            ("a key of another kind", member.uri("rsa"), ""),
            ("no URI", "pkcs11:token=%zz", "cannot be read"),
            ("no PIN file", uri.replace("/pin", "/none"), "No such file")):
        p = sign("PLA003", xml, wrong, ok=(3,))
        assert says in p.stderr, (what, p.stderr)
        assert softhsm.PIN not in p.stderr + p.stdout, what
    member.set_pin_file("0000000")
    try:
        assert "the PIN is wrong" in sign("PLA003", xml, uri, ok=(3,)).stderr
    finally:
        member.set_pin_file(softhsm.PIN)
    sign("PLA003", xml, uri)


def prompt():
    """without pin-source the PIN is asked for on the terminal, which does not show it"""
    src, dst = os.path.join(market.dir, "asked.xml"), os.path.join(market.dir, "asked-out.xml")
    with open(src, "w") as f:
        f.write(market.balance_report("PLA003"))
    argv = [os.path.join(market.bin, "muhur"), "sign", "--key", member.uri("p256", pin=False),
            "--cert", f"{market.dir}/PLA003.pem", src, dst]
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(argv[0], argv, member.env)
    seen, typed, end = b"", False, time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            got = os.read(fd, 4096)
        except OSError:
            break
        if not got:
            break
        seen += got
        if b"PIN:" in seen and not typed:
            os.write(fd, softhsm.PIN.encode() + b"\n")
            typed = True
    os.close(fd)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, seen
    assert typed and softhsm.PIN.encode() not in seen
    muhur("verify", "--trust", f"{market.pki}/trust.pem", dst)
    p = muhur(*argv[1:], ok=(3,), start_new_session=True, stdin=subprocess.DEVNULL)
    assert "no terminal" in p.stderr, p.stderr


# -- the gateway --------------------------------------------------------------------

def processes():
    """{name: (pid, arguments and environment)} of the gateway's processes."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            if parent == market.muhurd_pid:
                with open(f"/proc/{pid}/cmdline", "rb") as f, open(f"/proc/{pid}/environ", "rb") as e:
                    text = f.read()
                    found[text.split(b"\0")[0].decode()] = (int(pid), text + e.read())
        except OSError:
            pass
    return found


def use_token(kind):
    """Restart the gateway with the signing key on its token."""
    market.stop()
    with open(f"{market.dir}/gateway-{kind}.pem") as leaf, open(f"{market.pki}/subca.pem") as above:
        text = leaf.read() + above.read()
    with open(f"{market.dir}/gateway-token.pem", "w") as f:
        f.write(text)
    market.set_conf("signing_key", f'"{gateway.uri(kind, pin=False, module=False)}"')
    market.set_conf("signing_cert", '"gateway-token.pem"')
    market.set_conf("signing_module", f'"{softhsm.MODULE}"')
    market.set_conf("signing_pin_file", f'"{gateway.pin_file}"')
    market.set_conf("signing_module_read", f'{{ "{gateway.conf}" }}')
    market.set_conf("signing_module_write", f'{{ "{gateway.folder}" }}')
    market.set_conf("signing_module_env", f'{{ "SOFTHSM2_CONF={gateway.conf}" }}')
    market.start()


def exchanged():
    """A good report's answers, each valid to xmlsec1."""
    name = market.send(market.signed())
    notices = market.answer(name)
    for n in notices:
        assert market.verify_xmlsec(n.data).returncode == 0
    assert notices[1].codes == [], notices[1].codes


def no_pin(since=0):
    assert softhsm.PIN not in market.log(since)
    for name, (_, text) in processes().items():
        assert softhsm.PIN.encode() not in text, name


def notices():
    """the gateway signs its notices by a token's key of each kind, in its sandbox; the PIN is nowhere to be seen"""
    for kind in KINDS:
        since = market.log_size()
        use_token(kind)
        exchanged()
        no_pin(since)
        log = market.log(since)
        assert "alarm" not in log, [line for line in log.splitlines() if "alarm" in line]
    market.sound()


def signed_count():
    return int(market.sql("SELECT count(*) FROM muhur.notice WHERE sha256 IS NOT NULL")[0][0])


def away():
    """a token that goes away is an alarm; files are taken meanwhile, and their notices signed when it is back"""
    use_token("p256")
    exchanged()
    since, signer = market.log_size(), processes()["muhur-signer"][0]
    gateway.go()
    try:
        before = signed_count()
        name = market.send(market.signed())
        lib.wait_for("the alarm", lambda: "signing key pkcs11:" in market.log(since))
        lib.wait_for("it is accepted all the same", lambda: market.sql(
            f"SELECT 1 FROM muhur.submission WHERE file_name = '{name}' AND state = 'accepted'"))
        lib.wait_for("another try", lambda: market.log(since).count("could not be signed: it will be tried again") > 2)
        assert signed_count() == before
    finally:
        gateway.come_back()
    market.answer(name)
    lib.wait_for("it is said", lambda: "it is there again" in market.log(since), 5)
    assert processes()["muhur-signer"][0] == signer, "the signer was not to be started anew"
    alarms = [line.split("signing key ")[1] for line in market.log(since).splitlines() if "signing key pkcs11:" in line]
    assert len(alarms) == len(set(alarms)), alarms
    no_pin(since)
    market.sound()


def away_at_start():
    """a gateway whose token is not there starts and takes files; a killed signer changes nothing"""
    market.stop()
    gateway.go()
    since = market.log_size()
    try:
        market.start()
        name = market.send(market.signed())
        lib.wait_for("the alarm", lambda: "there is no such token" in market.log(since)
                     or "starting the module" in market.log(since))
        os.kill(processes()["muhur-signer"][0], signal.SIGKILL)
        lib.wait_for("another signer", lambda: "muhur-signer" in processes())
    finally:
        gateway.come_back()
    market.answer(name)


def hangs():
    """a token that does not answer ends the signer after the time limit, with an alarm; its notices are not lost"""
    market.stop()
    market.set_conf("signing_timeout", "2")
    market.start()
    exchanged()
    since, signer = market.log_size(), processes()["muhur-signer"][0]
    with contextlib.ExitStack() as held:
        for at, _, files in os.walk(gateway.tokens):
            for name in files:		# SoftHSM waits for them
                fcntl.lockf(held.enter_context(open(os.path.join(at, name), "r+")), fcntl.LOCK_EX)
        name = market.send(market.signed())
        lib.wait_for("the alarm", lambda: f"signer[{signer}] ended by signal 14" in market.log(since))
    market.answer(name)
    no_pin(since)


def wrong_pin():
    """a PIN that the token refuses is shown to it once, not until it locks; notices wait for the right one"""
    market.stop()
    gateway.set_pin_file("0000000")
    since = market.log_size()
    try:
        market.start()
        name = market.send(market.signed())
        lib.wait_for("the alarm", lambda: "the PIN is wrong" in market.log(since))
        lib.wait_for("it says so", lambda: "the PIN was refused and is not tried again" in market.log(since))
        lib.wait_for("other tries", lambda: market.log(since).count("could not be signed: it will be tried again") > 2)
        assert market.log(since).count("login: the PIN is wrong") == 1
        assert "0000000" not in market.log(since)
    finally:
        market.stop()
        gateway.set_pin_file(softhsm.PIN)
        market.start()
    market.answer(name)


def profile():
    """the module may do what the configuration says and no more: without its folders there is no token"""
    with open(market.conf) as f:
        good = f.read()
    market.stop()
    market.set_conf("signing_module_write", "{ }")
    since = market.log_size()
    try:
        market.start()
        name = market.send(market.signed())
        lib.wait_for("the alarm", lambda: "could not be signed: it will be tried again" in market.log(since))
        assert "signing key pkcs11:" in market.log(since)
    finally:
        market.stop()
        with open(market.conf, "w") as f:
            f.write(good)
        market.start()
    market.answer(name)
    market.sound(since)


def configuration():
    """what the configuration may not say about a token's key is refused"""
    with open(market.conf) as f:
        good = f.read()
    uri = gateway.uri("p256", pin=False, module=False)
    try:
        for key, value, says in (
                ("signing_key", f'"{uri}?pin-value={softhsm.PIN}"', "no PIN and no pin-source"),
                ("signing_key", f'"{uri}?pin-source=file:/x"', "no PIN and no pin-source"),
                ("signing_module", '""', "signing_module: must not be empty"),
                ("signing_module_may", '{ "fork" }', "neither unix nor thread"),
                ("signing_module_env", '{ "A" }', "NAME=value"),
                ("signing_pin_file", '"none"', "signing_pin_file")):
            market.set_conf(key, value)
            p = lib.run(os.path.join(market.bin, "muhurd"), "-n", "-c", market.conf, ok=None)
            assert p.returncode != 0, value
            assert says in p.stderr and softhsm.PIN not in p.stderr, (value, p.stderr)
            with open(market.conf, "w") as f:
                f.write(good)
    finally:
        with open(market.conf, "w") as f:
            f.write(good)


# -- login ------------------------------------------------------------------------------

def smart_card():
    """OpenSSH's sftp logs in by the certificate's key on a token, and sends what that key has signed"""
    askpass = os.path.join(market.dir, "askpass")
    with open(askpass, "w") as f:
        f.write(f"#!/bin/sh\nexec cat '{member.pin_file}'\n")
    os.chmod(askpass, 0o700)
    env = dict(member.env, SSH_ASKPASS=askpass, SSH_ASKPASS_REQUIRE="force")
    for kind in KINDS:
        user, name = user_of(kind), f"card-{kind}.xml"
        with open(os.path.join(market.dir, name), "wb") as f:
            f.write(sign(user, market.balance_report(user), member.uri(kind)))
        since = market.log_size()
        p = subprocess.run(["sftp", "-q", "-F", "/dev/null", "-P", str(market.port),
                            "-o", f"PKCS11Provider={softhsm.MODULE}", "-o", "IdentityFile=none",
                            "-o", "IdentityAgent=none", "-o", "StrictHostKeyChecking=no",
                            "-o", f"UserKnownHostsFile={market.dir}/kh", f"{user}@127.0.0.1"],
                           input=f"put {name} /inbox/{name}\n", capture_output=True, text=True, timeout=lib.LIMIT,
                           env=env, cwd=market.dir)
        assert p.returncode == 0, p.stderr
        assert f"{user} is in" in market.log(since)
        _, decision = market.answer(name, "PLA001")
        assert decision.codes == [], (kind, decision.codes)


if not softhsm.available():
    print("1..0 # SKIP SoftHSM or pkcs11-tool is absent")
    raise SystemExit(77)
with lib.Market() as market:
    member = softhsm.Token(os.path.join(market.dir, "card"), "member")
    gateway = softhsm.Token(os.path.join(market.dir, "hsm"), "gateway")
    for n, (kind_, type_) in enumerate(KINDS.items()):
        user_ = user_of(kind_)
        pki.issue(market, user_, public=member.make_key(type_, kind_, f"{n + 1:02}"))
        market.muhur("user", "add", user_, "--cert", f"{market.dir}/{user_}.pem", "--ssh-key", f"{market.pki}/PLA001.ssh.pub")
        pki.issue(market, f"gateway-{kind_}", public=gateway.make_key(type_, kind_, f"{n + 1:02}"))
    # One of a kind that nothing signs with here, and a second one of a kind.
    gateway.tool("--keypairgen", "--key-type", "EC:edwards25519", "--label", "other", "--id", "09")
    member.make_key("EC:prime256v1", "spare", "09")
    if os.getuid() == 0:
        gateway.give_to(SIGNER)
    lib.main(keys, command, refused, prompt, notices, away, away_at_start, hangs, wrong_pin, profile, configuration,
             smart_card)

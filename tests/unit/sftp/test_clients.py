#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Stock clients and hostile ones against the real muhur-sftp, sandboxed, with
fake_muhurd in muhurd's place. Run in the build directory; prints TAP.
Ends with 77 (skipped) where Paramiko or OpenSSH's client is missing."""
import hashlib, os, re, shutil, signal, socket, stat, struct, subprocess, sys, tempfile, threading, time, traceback

try:
    import paramiko
    from paramiko.sftp_attr import SFTPAttributes
except ImportError:
    sys.exit(77)
if shutil.which("sftp") is None:
    sys.exit(77)

BUILD = os.getcwd()
USER = "PLA001"
T = tempfile.mkdtemp(prefix="muhur-sftp-")
MAX = 8 << 20       # max_document_size of the test
with open("config.h") as config:
    SANITIZED = "#define WITH_SANITIZERS 1" in config.read()


def path(*p):
    return os.path.join(T, *p)


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)
    return path(name)


def read(*p):
    with open(path(*p), "rb") as f:
        return f.read()


def run(*cmd, timeout=240, **kw):
    return subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=timeout, **kw)


def largest_session(gw):
    """Resident bytes of the gateway's largest muhur-sftp."""
    most = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:      # pid (comm) state ppid ...
                comm, rest = f.read().split(" (", 1)[1].rsplit(") ", 1)
            if comm != "muhur-sftp" or int(rest.split()[1]) != gw.p.pid:
                continue
            with open("/proc/%s/statm" % pid) as f:
                most = max(most, int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
        except OSError:
            pass
    return most


class Gateway:
    """fake_muhurd with a box of its own."""
    def __init__(self, box, *args):
        os.makedirs(path(box), exist_ok=True)
        self.box = box
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        self.log = open(path(box + ".log"), "ab")
        self.p = subprocess.Popen(
            [BUILD + "/tests/unit/sftp/fake_muhurd", BUILD + "/src/sftp/muhur-sftp",
             path("muhur.conf"), path("host"), path("user.pub"), path(box), USER, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env=env)
        self.port = int(self.p.stdout.readline())

    def stop(self):
        self.p.stdin.close()
        self.p.wait(20)

    def drained(self):
        """Wait until no session is left, only the listener."""
        for _ in range(200):
            with open("/proc/%d/task/%d/children" % (self.p.pid, self.p.pid)) as f:
                if len(f.read().split()) <= 1:
                    return
            time.sleep(0.1)
        raise AssertionError("sessions do not end")

    def taken(self):
        return sorted(os.listdir(path(self.box, "taken")))

    def took(self, name, data):
        """The last taken file is name with data."""
        t = self.taken()
        return bool(t) and t[-1].endswith("." + name) and read(self.box, "taken", t[-1]) == data

    def ssh_options(self):
        return ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null",
                "-oIdentityFile=" + path("user"), "-oIdentitiesOnly=yes", "-oLogLevel=ERROR",
                "-oBatchMode=yes", "-F/dev/null"]

    def sftp(self, *lines):
        return run("sftp", "-q", *self.ssh_options(), "-P", str(self.port), "-b", "-",
                   USER + "@127.0.0.1", input="\n".join(lines).encode() + b"\n")

    def transport(self, key="user", user=USER):
        t = paramiko.Transport(("127.0.0.1", self.port))
        transports.append(t)
        t.start_client(timeout=60)
        t.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(path(key)))
        return t

    def paramiko(self):
        return paramiko.SFTPClient.from_transport(self.transport())


def s(b):
    return struct.pack(">I", len(b)) + b


class Raw:
    """Packets as we like them."""
    def __init__(self, gw, init=True):
        self.t = gw.transport()
        self.c = self.t.open_session()
        self.c.settimeout(10)
        self.c.invoke_subsystem("sftp")
        if init:
            self.send(1, struct.pack(">I", 3))
            assert self.recv()[0] == 2

    def send(self, kind, body):
        self.c.sendall(s(bytes([kind]) + body))

    def get(self, n):
        b = b""
        while len(b) < n:
            d = self.c.recv(n - len(b))
            if not d:
                raise EOFError
            b += d
        return b

    def recv(self):
        p = self.get(struct.unpack(">I", self.get(4))[0])
        return p[0], p[1:]

    def status(self):
        kind, body = self.recv()
        assert kind == 101, kind
        return struct.unpack(">I", body[4:8])[0]

    def open(self, name, flags):
        self.send(3, struct.pack(">I", 1) + s(name) + struct.pack(">II", flags, 0))
        kind, body = self.recv()
        return body[8:] if kind == 102 else struct.unpack(">I", body[4:8])[0]

    def closed(self):
        try:
            return self.c.recv(1) == b""
        except (OSError, EOFError):
            return True


tests = []
transports = []     # closed after each test


def test(f):
    tests.append(f)
    return f


@test
def openssh_put_get_list(gw):
    data = os.urandom(3 << 20)
    write("a.xml", data)
    write(gw.box + "/outbox/n.received.xml", data)
    r = gw.sftp("pwd", "cd inbox", "put -p %s a.xml" % path("a.xml"), "ls -la", "cd /outbox",
                "get n.received.xml %s" % path("n.xml"), "ls -la /archive")
    assert r.returncode == 0, r.stdout
    assert gw.took("a.xml", data) and read("n.xml") == data
    assert b"-r--r--r--    1 PLA001   PLA       3145728" in r.stdout, r.stdout


@test
def openssh_df_is_the_quota(gw):
    write(gw.box + "/inbox/d.xml.part", bytes(16 << 20))
    r = gw.sftp("df", "df -i /outbox")
    os.unlink(path(gw.box, "inbox", "d.xml.part"))
    assert r.returncode == 0 and re.search(rb"\n +65536 +16384 +49152 +49152 +25%", r.stdout), r.stdout
    assert re.search(rb"\n +0 +0 +0 +0 ", r.stdout), r.stdout


@test
def openssh_part_rename_rm(gw):
    write("p.xml", b"<p/>")
    r = gw.sftp("put %s inbox/p.xml.part" % path("p.xml"), "ls inbox",
                "rename inbox/p.xml.part inbox/p.xml", "put %s inbox/junk.tmp" % path("p.xml"),
                "rm inbox/junk.tmp", "ls inbox")
    assert r.returncode == 0, r.stdout
    assert gw.took("p.xml", b"<p/>") and os.listdir(path(gw.box, "inbox")) == []


@test
def openssh_reput_goes_on(gw):
    data = os.urandom(500000)
    write("r.xml", data)
    write(gw.box + "/inbox/r.xml", data[:123456])
    r = gw.sftp("reput %s inbox/r.xml" % path("r.xml"))
    assert r.returncode == 0 and gw.took("r.xml", data), r.stdout


@test
def openssh_denied(gw):
    write("d.xml", b"x")
    write(gw.box + "/outbox/keep.xml", b"keep")
    for line in ("mkdir inbox/d", "rmdir inbox", "put %s outbox/x.xml" % path("d.xml"),
                 "rm outbox/keep.xml", "ln -s inbox/a outbox/b", "put %s x.xml" % path("d.xml"),
                 "get ../../etc/passwd %s" % path("passwd"), "rename outbox/keep.xml inbox/k",
                 "put %s inbox/.hidden" % path("d.xml"), "chmod 777 outbox/keep.xml"):
        r = gw.sftp(line)
        assert r.returncode == 1, (line, r.stdout)
    assert read(gw.box, "outbox", "keep.xml") == b"keep" and not os.path.exists(path("passwd"))


@test
def scp_up_and_down(gw):
    data = os.urandom(700000)
    write("s.xml", data)
    write(gw.box + "/outbox/s.xml", data)
    opts = gw.ssh_options() + ["-q", "-s", "-P", str(gw.port)]
    r = run("scp", *opts, path("s.xml"), USER + "@127.0.0.1:/inbox/s.xml")
    assert r.returncode == 0 and gw.took("s.xml", data), r.stdout
    r = run("scp", *opts, USER + "@127.0.0.1:/outbox/s.xml", path("s2.xml"))
    assert r.returncode == 0 and read("s2.xml") == data, r.stdout


@test
def curl_up_and_down(gw):
    if shutil.which("curl") is None or b"sftp" not in run("curl", "-V").stdout:
        return "curl has no sftp"
    data = os.urandom(300000)
    write("c.xml", data)
    write(gw.box + "/outbox/c.xml", data)
    url = "sftp://%s@127.0.0.1:%d" % (USER, gw.port)
    opts = ["-sS", "-k", "--key", path("user"), "--pubkey", path("user.pub")]
    r = run("curl", *opts, "-T", path("c.xml"), url + "/inbox/c.xml")
    assert r.returncode == 0 and gw.took("c.xml", data), r.stdout
    r = run("curl", *opts, "-o", path("c2.xml"), url + "/outbox/c.xml")
    assert r.returncode == 0 and read("c2.xml") == data, r.stdout


@test
def lftp_up_and_down(gw):
    if shutil.which("lftp") is None:
        return "no lftp"
    data = os.urandom(900000)
    write("l.xml", data)
    write(gw.box + "/outbox/l.xml", data)
    ssh = "ssh -a -x " + " ".join(gw.ssh_options())
    r = run("lftp", "-c", "set sftp:connect-program '%s'; set net:max-retries 1; "
            "open -p %d sftp://%s:@127.0.0.1; put %s -o /inbox/l.xml; get /outbox/l.xml -o %s; cls -l /inbox"
            % (ssh, gw.port, USER, path("l.xml"), path("l2.xml")))
    assert r.returncode == 0 and gw.took("l.xml", data) and read("l2.xml") == data, r.stdout


@test
def rclone_up_and_down(gw):
    if shutil.which("rclone") is None:
        return "no rclone"
    data = os.urandom(900000)
    os.makedirs(path("rc"), exist_ok=True)
    write("rc/k.xml", data)
    write(gw.box + "/outbox/k.xml", data)
    remote = ":sftp,host=127.0.0.1,port=%d,user=%s,key_file=%s:" % (gw.port, USER, path("user"))
    env = dict(os.environ, RCLONE_CONFIG="/dev/null")
    r = run("rclone", "copy", path("rc/k.xml"), remote + "/inbox", env=env)
    assert r.returncode == 0 and gw.took("k.xml", data), r.stdout
    r = run("rclone", "copyto", remote + "/outbox/k.xml", path("k2.xml"), env=env)
    assert r.returncode == 0 and read("k2.xml") == data, r.stdout


@test
def psftp_up_and_down(gw):
    if shutil.which("psftp") is None or shutil.which("puttygen") is None:
        return "no psftp"
    data = os.urandom(400000)
    write("u.xml", data)
    write(gw.box + "/outbox/u.xml", data)
    run("puttygen", path("user"), "-O", "private", "-o", path("user.ppk"))
    fp = run("ssh-keygen", "-lf", path("host.pub")).stdout.split()[1].decode()
    write("psftp.txt", ("put %s /inbox/u.xml\nget /outbox/u.xml %s\nquit\n" %
                        (path("u.xml"), path("u2.xml"))).encode())
    r = run("psftp", "-batch", "-P", str(gw.port), "-i", path("user.ppk"), "-hostkey", fp,
            "-b", path("psftp.txt"), USER + "@127.0.0.1", env=dict(os.environ, HOME=T))
    assert r.returncode == 0 and gw.took("u.xml", data) and read("u2.xml") == data, r.stdout


@test
def paramiko_put_stat_utime(gw):
    data = os.urandom(1 << 20)
    write("m.xml", data)
    c = gw.paramiko()
    a = c.put(path("m.xml"), "/inbox/m.xml")
    assert a.st_size == len(data) and stat.S_IMODE(a.st_mode) == 0o444
    c.utime("/inbox/m.xml", (1, 1))
    c.chmod("/inbox/m.xml", 0o600)
    assert stat.S_IMODE(c.stat("/inbox/m.xml").st_mode) == 0o444
    assert c.stat("/inbox/m.xml").st_mtime > 1
    assert sorted(c.listdir("/")) == ["archive", "inbox", "outbox"]
    assert c.normalize("/inbox/../outbox//./") == "/outbox"
    assert gw.took("m.xml", data)


@test
def taken_name_begins_anew_only_as_a_whole(gw):
    c = gw.paramiko()
    with c.open("/inbox/t.xml", "w") as f:
        f.write(b"one")
    for mode in ("r+", "a"):
        try:
            c.open("/inbox/t.xml", mode)
            assert False, mode
        except PermissionError:
            pass
    try:
        c.remove("/inbox/t.xml")
        assert False
    except PermissionError:
        pass
    with c.open("/inbox/t.xml", "w") as f:
        f.write(b"two")
    assert gw.took("t.xml", b"two")
    with c.open("/inbox/t.xml", "wx") as f:
        f.write(b"three")
    assert gw.took("t.xml", b"three")


@test
def zero_bytes_are_not_taken(gw):
    before = gw.taken()
    c = gw.paramiko()
    c.open("/inbox/z.xml", "w").close()
    assert gw.taken() == before and c.stat("/inbox/z.xml").st_size == 0
    c.remove("/inbox/z.xml")


@test
def a_gap_makes_close_fail(gw):
    before = gw.taken()
    r = Raw(gw)
    h = r.open(b"/inbox/g.xml", 2 | 8 | 16)
    for off, data in ((0, b"abc"), (10, b"xyz")):
        r.send(6, struct.pack(">I", 2) + s(h) + struct.pack(">Q", off) + s(data))
        assert r.status() == 0
    r.send(4, struct.pack(">I", 3) + s(h))
    assert r.status() == 4
    assert gw.taken() == before and read(gw.box, "inbox", "g.xml") == b"abc"


@test
def writes_in_any_order_make_a_whole(gw):
    data = os.urandom(300 * 100)
    r = Raw(gw)
    h = r.open(b"/inbox/o.xml", 2 | 8 | 16)
    for i in list(range(99, -1, -2)) + list(range(0, 100, 2)):
        r.send(6, struct.pack(">I", 2) + s(h) + struct.pack(">Q", i * 300) + s(data[i * 300:i * 300 + 300]))
        assert r.status() == 0
    r.send(4, struct.pack(">I", 3) + s(h))
    assert r.status() == 0 and gw.took("o.xml", data)


@test
def a_drop_keeps_the_contiguous_part(gw):
    before = gw.taken()
    r = Raw(gw)
    h = r.open(b"/inbox/k.xml", 2 | 8 | 16)
    for off, data in ((0, b"a" * 1000), (5000, b"z" * 10)):
        r.send(6, struct.pack(">I", 2) + s(h) + struct.pack(">Q", off) + s(data))
        assert r.status() == 0
    r.t.sock.shutdown(socket.SHUT_RDWR)
    for _ in range(50):
        if os.path.getsize(path(gw.box, "inbox", "k.xml")) == 1000:
            break
        time.sleep(0.1)
    assert read(gw.box, "inbox", "k.xml") == b"a" * 1000 and gw.taken() == before
    c = gw.paramiko()
    with c.open("/inbox/k.xml", "a") as f:
        f.write(b"b" * 5)
    assert gw.took("k.xml", b"a" * 1000 + b"b" * 5)


@test
def ctrl_c_sends_a_truncated_document(gw):
    write("big.xml", os.urandom(MAX))
    before = gw.taken()
    p = subprocess.Popen(["sftp", "-q", *gw.ssh_options(), "-l", "8000", "-P", str(gw.port),
                          USER + "@127.0.0.1"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=os.setsid)
    p.stdin.write(("put %s inbox/cc.xml\n" % path("big.xml")).encode())
    p.stdin.flush()
    time.sleep(2)
    p.send_signal(signal.SIGINT)
    p.stdin.close()
    p.wait(20)
    time.sleep(0.5)
    assert len(gw.taken()) == len(before) + 1
    assert 0 < os.path.getsize(path(gw.box, "taken", gw.taken()[-1])) < MAX


@test
def too_large_is_refused(gw):
    before = gw.taken()
    c = gw.paramiko()
    f = c.open("/inbox/huge.xml", "w")
    f.seek(MAX - 2)
    try:
        f.write(b"12345")
        f.close()
        assert False
    except OSError:
        pass
    try:
        c.truncate("/inbox/huge.xml", MAX + 1)
        assert False
    except OSError:
        pass
    c.close()
    assert gw.taken() == before


@test
def size_in_setstat_counts_while_unfinished(gw):
    write(gw.box + "/inbox/c.part", b"0123456789")
    c = gw.paramiko()
    c.truncate("/inbox/c.part", 4)
    assert read(gw.box, "inbox", "c.part") == b"0123"
    f = c.open("/inbox/c.part", "a")
    f.write(b"45678")
    f.truncate(6)
    f.close()
    assert read(gw.box, "inbox", "c.part") == b"012345"
    c.posix_rename("/inbox/c.part", "/inbox/c.xml")
    assert gw.took("c.xml", b"012345")


@test
def posix_rename_goes_over(gw):
    write(gw.box + "/inbox/n.part", b"new")
    write(gw.box + "/inbox/n.xml", b"old")
    c = gw.paramiko()
    try:
        c.rename("/inbox/n.part", "/inbox/n.xml")
        assert False
    except OSError:
        pass
    c.posix_rename("/inbox/n.part", "/inbox/n.xml")
    assert gw.took("n.xml", b"new") and not os.path.exists(path(gw.box, "inbox", "n.xml"))


@test
def archive_by_day(gw):
    os.makedirs(path(gw.box, "archive", "2026-11-01"))
    os.makedirs(path(gw.box, "archive", "notaday"))
    for i in range(1200):
        write("%s/archive/2026-11-01/%04d.%s.xml" % (gw.box, i, "x" * 150), b"%d" % i)
    c = gw.paramiko()
    assert c.listdir("/archive") == ["2026-11-01"]
    names = c.listdir("/archive/2026-11-01")
    assert len(names) == 1200 and len(set(names)) == 1200
    with c.open("/archive/2026-11-01/0777.%s.xml" % ("x" * 150)) as f:
        assert f.read() == b"777"
    for bad in ("/archive/2026-11-02", "/archive/2026-13-01", "/archive/notaday", "/archive/../sent"):
        try:
            c.listdir(bad)
            assert False, bad
        except OSError:
            pass


@test
def shell_exec_and_second_channel_are_refused(gw):
    t = gw.transport()
    c = t.open_session()
    for ask in (lambda: c.exec_command("id"), c.invoke_shell, c.get_pty,
                lambda: c.invoke_subsystem("netconf")):
        try:
            ask()
            assert False
        except paramiko.SSHException:
            pass
        c = None
        t.close()
        t = gw.transport()
        c = t.open_session()
    try:
        t.open_session(timeout=5)
        assert False
    except paramiko.SSHException:
        pass
    t.close()


@test
def only_the_right_key_of_a_user(gw):
    for key, user in (("other", USER), ("user", "PLA002"), ("user", "root")):
        try:
            gw.transport(key, user)
            assert False, (key, user)
        except paramiko.AuthenticationException:
            pass
    t = paramiko.Transport(("127.0.0.1", gw.port))
    t.start_client(timeout=60)
    try:
        t.auth_password(USER, "secret")
        assert False
    except paramiko.SSHException:
        pass
    t.close()


@test
def a_wrong_signature_does_not_come_in(gw):
    class Liar(paramiko.Ed25519Key):
        def sign_ssh_data(self, data, algorithm=None):
            return super().sign_ssh_data(data + b"x")
    t = paramiko.Transport(("127.0.0.1", gw.port))
    transports.append(t)
    t.start_client(timeout=60)
    began = time.monotonic()
    try:
        t.auth_publickey(USER, Liar.from_private_key_file(path("user")))
        assert False
    except (paramiko.SSHException, EOFError):
        pass
    assert time.monotonic() - began < 8     # login_grace at the latest

@test
def certificates_are_refused(gw):
    run("ssh-keygen", "-q", "-s", path("other"), "-I", "id", "-n", USER, path("user.pub"))
    r = gw.sftp("ls")
    assert r.returncode == 0, r.stdout      # by the plain key
    r = run("sftp", "-q", *gw.ssh_options(), "-oCertificateFile=" + path("user-cert.pub"),
            "-oPubkeyAcceptedAlgorithms=ssh-ed25519-cert-v01@openssh.com", "-P", str(gw.port),
            "-b", "/dev/null", USER + "@127.0.0.1")
    os.unlink(path("user-cert.pub"))
    assert r.returncode != 0, r.stdout


@test
def hostile_packets_end_the_session(gw):
    hostile = [
        b"\xff\xff\xff\xff", b"\0\0\0\0", struct.pack(">I", 1 << 20) + b"\5",
        s(b"\x04" + struct.pack(">II", 1, 0xffffffff)),             # handle over the end
        s(b"\x04" + struct.pack(">I", 1) + s(b"\0\0\0\0") + b"x"),  # left over
        s(b"\x03\0\0"), s(b"\x01" + struct.pack(">I", 3)),          # short; a second INIT
        struct.pack(">I", 1000) + b"\x06" + struct.pack(">II", 1, 4) + b"abcd" + struct.pack(">QI", 0, 5000),
        s(b"\x09" + struct.pack(">I", 1) + s(b"/x") + struct.pack(">I", 0x10)),  # unknown attribute
        s(b"\xc8" + struct.pack(">I", 1) + s(b"fsync@openssh.com")),
    ]
    for h in hostile:
        r = Raw(gw)
        r.c.sendall(h)
        assert r.closed(), h
        r.t.close()
    r = Raw(gw, init=False)
    r.send(16, struct.pack(">I", 1) + s(b"."))
    assert r.closed()
    assert gw.sftp("ls").returncode == 0


@test
def unknown_requests_are_answered(gw):
    r = Raw(gw)
    r.send(77, struct.pack(">I", 9))
    assert r.status() == 8
    r.send(200, struct.pack(">I", 9) + s(b"copy-data") + b"anything")
    assert r.status() == 8
    for kind in (4, 5 + 7, 8):      # CLOSE, READDIR, FSTAT of what is no handle
        for h in (b"", b"\0\0\0\0", b"\xff\xff\xff\xff", b"123456789"):
            r.send(kind, struct.pack(">I", 9) + s(h))
            assert r.status() == 4
    for p in (b"/inbox/" + b"x" * 5000, b"/inbox/a\0b", b"/inbox/\xff\xfe", b"/inbox/a/b", b"/etc/passwd"):
        r.send(17, struct.pack(">I", 9) + s(p))
        assert r.status() == 2
        assert r.open(p, 1) == 2
        assert r.open(p, 2 | 8 | 16) in (2, 3)


@test
def handles_are_limited(gw):
    r = Raw(gw)
    got = 0
    for _ in range(80):
        r.send(11, struct.pack(">I", 9) + s(b"/outbox"))
        kind, _b = r.recv()
        got += kind == 102
    assert got == 64


@test
def a_client_that_does_not_read_is_held_up(gw):
    write(gw.box + "/outbox/stop.xml", os.urandom(4 << 20))
    r = Raw(gw)
    h = r.open(b"/outbox/stop.xml", 1)
    n = 4000
    req = b"".join(s(b"\x05" + struct.pack(">I", i) + s(h) + struct.pack(">QI", 0, 200000)) for i in range(n))
    r.c.settimeout(3)
    r.c.sendall(req)
    time.sleep(2)       # it must neither hang, nor keep 800 MB for us
    largest = largest_session(gw)
    assert 0 < largest < (600 if SANITIZED else 64) << 20, largest
    assert gw.sftp("ls").returncode == 0        # others go on
    r.t.close()


@test
def a_client_that_keeps_to_the_window_is_answered(gw):
    """It asks without waiting for answers, faster than they come."""
    r = Raw(gw)
    r.c.settimeout(60)
    size = 24 << 20
    ask = s(b"\x03" + struct.pack(">I", 1) + s(b"/outbox" + b"/." * 490 + b"/none.xml") + struct.pack(">II", 1, 0))
    n = size // len(ask)

    def send():
        try:
            for _ in range(n // 200):
                r.c.sendall(ask * 200)
            r.c.sendall(ask * (n % 200))
        except OSError:
            pass        # the answers end, too
    sender = threading.Thread(target=send)
    sender.start()
    largest = 0
    try:
        for i in range(n):
            assert r.status() == 2, i
            if i % 1000 == 0:
                largest = max(largest, largest_session(gw))
    finally:
        r.t.close()
        sender.join()
    assert 0 < largest < (600 if SANITIZED else 64) << 20, largest


@test
def many_connections_at_once(gw):
    write("q.xml", b"<q/>" * 100)
    before = len(gw.taken())
    ps = [subprocess.Popen(["sftp", "-q", *gw.ssh_options(), "-P", str(gw.port), "-b", "-",
                            USER + "@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                           stderr=subprocess.STDOUT) for _ in range(12)]
    for i, p in enumerate(ps):
        p.stdin.write(("put %s inbox/q%d.xml\n" % (path("q.xml"), i)).encode())
        p.stdin.close()
    assert [p.wait(60) for p in ps] == [0] * 12
    assert len(gw.taken()) == before + 12


@test
def idle_connections_of_an_address_are_limited(gw):
    gw.drained()
    socks = [socket.create_connection(("127.0.0.1", gw.port)) for _ in range(20)]
    time.sleep(1)
    closed = 0
    for k in socks:
        k.settimeout(0.3)
        try:
            while True:
                d = k.recv(4096)
                if not d:
                    closed += 1
                    break
        except OSError:
            pass
    assert closed == 4, closed      # 16 are allowed
    time.sleep(7)                   # login_grace ends the others
    for k in socks:
        k.settimeout(5)
        try:
            while k.recv(4096):
                pass
        except OSError:
            pass
        k.close()
    gw.drained()
    assert gw.sftp("ls").returncode == 0


@test
def large_file_round_trip(gw):
    data = os.urandom(7 << 20) + b"tail"
    write("v.xml", data)
    write(gw.box + "/outbox/v.xml", data)
    r = gw.sftp("put %s inbox/v.xml" % path("v.xml"), "get outbox/v.xml %s" % path("v2.xml"))
    assert r.returncode == 0 and gw.took("v.xml", data) and read("v2.xml") == data


@test
def rekeying_in_the_middle(gw):
    data = os.urandom(7 << 20)
    write("y.xml", data)
    write(gw.box + "/outbox/y.xml", data)
    for cipher in ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"):
        r = run("sftp", "-q", *gw.ssh_options(), "-oRekeyLimit=1M", "-c", cipher, "-P", str(gw.port),
                "-b", "-", USER + "@127.0.0.1",
                input=("put %s inbox/y.xml\nget outbox/y.xml %s\n" % (path("y.xml"), path("y2.xml"))).encode())
        assert r.returncode == 0 and gw.took("y.xml", data) and read("y2.xml") == data, r.stdout


def flipping_proxy(port, where):
    """Passes one connection on, with one bit of what the client sends turned."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(a, b, where):
        seen = 0
        try:
            while True:
                d = bytearray(a.recv(65536))
                if not d:
                    break
                if where is not None and seen <= where < seen + len(d):
                    d[where - seen] ^= 1
                seen += len(d)
                b.sendall(d)
        except OSError:
            pass
        for k in (a, b):
            try:
                k.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve():
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        threading.Thread(target=pump, args=(server, client, None), daemon=True).start()
        pump(client, server, where)
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


@test
def a_turned_bit_is_never_taken(gw):
    write("f.xml", os.urandom(1 << 20))
    before = gw.taken()
    for cipher in ("aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"):
        for where in (100000, 500003, 900017):
            port = flipping_proxy(gw.port, where)
            r = run("sftp", "-q", *gw.ssh_options(), "-c", cipher, "-P", str(port), "-b", "-",
                    USER + "@127.0.0.1", input=("put %s inbox/f.xml\n" % path("f.xml")).encode())
            assert r.returncode != 0, (cipher, where)
    assert gw.taken() == before


@test
def a_suspended_member_fetches_only(_gw):
    gw = Gateway("suspended", "suspended")
    try:
        write("suspended/outbox/n.xml", b"notice")
        write("suspended/inbox/old.part", b"old")
        c = gw.paramiko()
        with c.open("/outbox/n.xml") as f:
            assert f.read() == b"notice"
        for f in (lambda: c.open("/inbox/a.xml", "w"), lambda: c.remove("/inbox/old.part"),
                  lambda: c.rename("/inbox/old.part", "/inbox/old.xml")):
            try:
                f()
                assert False
            except PermissionError:
                pass
        c.close()
    finally:
        gw.stop()


# --- what compliance and the regulator see -----------------------------------------

def tile(level, n, width=256):
    """As C2SP tlog-tiles writes it."""
    parts = ["%03d" % (n % 1000)]
    while n >= 1000:
        n //= 1000
        parts.insert(0, "x%03d" % (n % 1000))
    return "tile/%s/%s%s" % (level, "/".join(parts), "" if width == 256 else ".p/%d" % width)


def put_file(name, data):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name + ".new", "wb") as f:
        f.write(data)
    os.rename(name + ".new", name)


def entry(i):
    return b"leaf %d " % i * (1 + i % 7)


def entries(first, n):
    return b"".join(struct.pack(">H", len(entry(i))) + entry(i) for i in range(first, first + n))


def hashes(first, n):
    return b"".join(hashlib.sha256(entry(i)).digest() for i in range(first, first + n))


class Log:
    """Grows as the gateway's does: tiles, then the checkpoint; partial ones go when the whole is there."""
    def __init__(self, box):
        self.dir = path(box, "trail")
        self.size = 0
        put_file(self.dir + "/key", b"test+00000000+AQ==\n")

    def add(self, n):
        old, self.size = self.size, self.size + n
        for t in range(old // 256, (self.size - 1) // 256 + 1):
            w = min(256, self.size - 256 * t)
            put_file(self.dir + "/" + tile("entries", t, w), entries(256 * t, w))
            put_file(self.dir + "/" + tile(0, t, w), hashes(256 * t, w))
            if w == 256:
                for kind in ("entries", 0):
                    shutil.rmtree(self.dir + "/" + tile(kind, t) + ".p", ignore_errors=True)
        note = b"test\n%d\n" % self.size + b"x" * 200 + b"\n%d\n" % self.size
        put_file(self.dir + "/checkpoints/2026-11-26/%d" % self.size, note)
        put_file(self.dir + "/checkpoint", note)
        return self.size


def whole_mirror(top):
    """What its checkpoint speaks of is in it: its size."""
    note = read(top, "checkpoint").split(b"\n")
    assert note[1] == note[3], note                 # not torn
    size = int(note[1])
    for t in range((size - 1) // 256 + 1):
        need = min(256, size - 256 * t)
        for kind, make in (("entries", entries), (0, hashes)):
            for w in [256] + list(range(255, need - 1, -1)):
                name = os.path.join(top, tile(kind, t, w))
                if os.path.exists(name):
                    break
            else:
                raise AssertionError("%s is not there, size %d" % (tile(kind, t, need), size))
            assert read(name) == make(256 * t, w), name
    return size


class Growing(threading.Thread):
    """Adds as long as the with block goes on."""
    def __init__(self, log, n):
        super().__init__()
        self.log, self.n, self.over = log, n, threading.Event()

    def run(self):
        while not self.over.is_set():
            self.log.add(self.n)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Seeing(Gateway):
    def toggle(self):
        self.p.stdin.write(b"x")
        self.p.stdin.flush()
        return int(self.p.stdout.readline())


def seeing(f):
    """A test with a gateway whose user sees the trail and all archives."""
    def run_it(_gw):
        gw = Seeing(f.__name__, "sees")
        try:
            return f(gw)
        finally:
            while transports:
                transports.pop().close()
            gw.stop()
            text = read(f.__name__ + ".log").decode(errors="replace")
            for word in ("a session died", "AddressSanitizer", "runtime error", "asked", "alarm:"):
                assert word not in text, text[-2000:]
    run_it.__name__ = f.__name__
    return test(run_it)


def refused(f, *errors):
    try:
        f()
    except errors or (OSError,):
        return
    raise AssertionError("this should be refused")


@seeing
def trail_is_listed_and_read(gw):
    log = Log(gw.box)
    log.add(256 * 3 + 17)
    c = gw.paramiko()
    assert c.listdir("/") == ["inbox", "outbox", "archive", "trail"]
    # the checkpoint comes first
    assert c.listdir("/trail") == ["checkpoint", "checkpoints", "key", "tile"]
    assert sorted(c.listdir("/trail/tile")) == ["0", "entries"]
    assert sorted(c.listdir("/trail/tile/entries")) == ["000", "001", "002", "003.p"]
    assert c.listdir("/trail/tile/0/003.p") == ["17"]
    a = c.stat("/trail/tile/0/003.p/17")
    assert a.st_size == 17 * 32 and stat.S_IMODE(a.st_mode) == 0o444 and stat.S_ISREG(a.st_mode)
    a = c.lstat("/trail/checkpoints/2026-11-26")
    assert stat.S_ISDIR(a.st_mode) and stat.S_IMODE(a.st_mode) == 0o555 and a.st_mtime > 1e9
    for x in c.listdir_attr("/") + c.listdir_attr("/trail"):
        assert stat.S_ISDIR(x.st_mode) == (x.filename not in ("checkpoint", "key")), x
    assert c.normalize("/trail/tile/../tile/0/") == "/trail/tile/0"
    with c.open("/trail/tile/entries/001") as f:
        assert f.stat().st_size == len(entries(256, 256)) and f.read() == entries(256, 256)
    for name in ("/trail/x", "/trail/tile/0/004", "/trail/../../etc/passwd", "/trail/tile/0/x000",
                 "/trail/tile/0/\u06f0\u06f0\u06f1", "/trail/%00", "/trail/" + "1" * 900, "/trail/key/x", "/trail/key/"):
        refused(lambda: c.stat(name), FileNotFoundError)
        refused(lambda: c.open(name), FileNotFoundError)
    refused(lambda: c.stat("/trail/tile/9"), FileNotFoundError)
    refused(lambda: c.listdir("/trail/tile/9"), FileNotFoundError)
    refused(lambda: c.listdir("/trail/key"))
    r = Raw(gw)
    for name in (b"/trail/key\0", b"/trail/\xff\xfe", b"/trail//checkpoint/..//../trail\0/key"):
        assert r.open(name, 1) == 2, name
    assert len(r.open(b"//trail/./tile/..///key", 1)) == 4


@seeing
def trail_is_only_read(gw):
    log = Log(gw.box)
    log.add(300)
    before = sorted(os.walk(log.dir))
    c = gw.paramiko()
    for mode in ("w", "r+", "a", "wx"):
        refused(lambda: c.open("/trail/checkpoint", mode), PermissionError)
        refused(lambda: c.open("/trail/tile/0/009", mode), PermissionError)
    for f in (lambda: c.remove("/trail/key"), lambda: c.rename("/trail/key", "/inbox/key"),
              lambda: c.posix_rename("/trail/key", "/trail/tile/0/005"), lambda: c.mkdir("/trail/tile/1"),
              lambda: c.rmdir("/trail/tile"), lambda: c.symlink("/trail/key", "/trail/tile/0/005"),
              lambda: c.truncate("/trail/key", 0), lambda: c.chmod("/trail/key", 0o666),
              lambda: c.utime("/trail/key", (1, 1)), lambda: c.remove("/archive/PLB/2026-11-01/n.xml")):
        refused(f, PermissionError)
    with c.open("/inbox/a.part", "w") as f:
        f.write(b"x")
    refused(lambda: c.posix_rename("/inbox/a.part", "/trail/key"), PermissionError)
    assert sorted(os.walk(log.dir)) == before and read(log.dir, "key").startswith(b"test+")


@seeing
def trail_planted(gw):
    log = Log(gw.box)
    log.add(256)
    secret = write("secret", b"secret")
    t = log.dir + "/tile/0/"
    os.symlink(secret, t + "001")
    os.symlink("/etc", log.dir + "/tile/1")
    os.symlink("000", t + "002")
    os.mkfifo(t + "003")
    os.mkdir(t + "004")
    write(t + ".tmp", b"x")
    write(t + "000.new", b"x")
    write(log.dir + "/openings", b"x")
    c = gw.paramiko()
    assert c.listdir("/trail") == ["checkpoint", "checkpoints", "key", "tile"]
    assert sorted(c.listdir("/trail/tile")) == ["0", "entries"]
    assert c.listdir("/trail/tile/0") == ["000"]
    for name in ("001", "002", "../1", ".tmp", "000.new", "../../openings"):
        refused(lambda: c.open("/trail/tile/0/" + name))


@seeing
def partial_tiles_are_given_from_whole_ones(gw):
    log = Log(gw.box)
    log.add(256 + 9)
    c = gw.paramiko()
    held = c.open("/trail/tile/entries/001.p/9")
    listed = c.listdir("/trail/tile/entries")
    log.add(300)
    assert "001.p" in listed and not os.path.exists(log.dir + "/tile/entries/001.p")
    assert held.read() == entries(256, 9)
    for kind, make in (("entries", entries), (0, hashes)):
        for w in (1, 9, 255):
            name = "/trail/%s" % tile(kind, 1, w)
            assert c.stat(name).st_size == len(make(256, w))
            with c.open(name) as f:
                assert f.read() == make(256, w) and f.stat().st_size == len(make(256, w))
        assert c.listdir("/trail/tile/%s/001.p" % kind) == ["255"]
        x, = c.listdir_attr("/trail/tile/%s/001.p" % kind)
        assert stat.S_ISREG(x.st_mode) and x.st_size == len(make(256, 255))
        assert stat.S_ISDIR(c.stat("/trail/tile/%s/001.p" % kind).st_mode)
        refused(lambda: c.stat("/trail/tile/%s/007.p" % kind), FileNotFoundError)
        refused(lambda: c.listdir("/trail/tile/%s/007.p" % kind), FileNotFoundError)


@seeing
def openssh_mirrors_while_it_grows(gw):
    log = Log(gw.box)
    log.add(256 * 9 + 100)
    for i in range(2):
        with Growing(log, 61):
            r = gw.sftp("get -r /trail %s" % path("ossh%d" % i))
        assert r.returncode == 0, r.stdout
        assert whole_mirror(path("ossh%d" % i)) >= 256 * 9 + 100
    assert log.size > 256 * 11, log.size


@seeing
def lftp_mirrors_while_it_grows(gw):
    if shutil.which("lftp") is None:
        return "no lftp"
    log = Log(gw.box)
    log.add(256 * 5 + 100)
    ssh = "ssh -a -x " + " ".join(gw.ssh_options())
    with Growing(log, 61):
        r = run("lftp", "-c", "set sftp:connect-program '%s'; set net:max-retries 1; open -p %d sftp://%s:@127.0.0.1;"
                " get /trail/checkpoint -o %s; mirror --exclude-glob checkpoint /trail %s"
                % (ssh, gw.port, USER, path("first"), path("lftp")))
    assert r.returncode == 0, r.stdout
    os.rename(path("first"), path("lftp/checkpoint"))
    whole_mirror(path("lftp"))


@seeing
def rclone_mirrors_while_it_grows(gw):
    if shutil.which("rclone") is None:
        return "no rclone"
    log = Log(gw.box)
    log.add(256 * 5 + 100)
    remote = ":sftp,host=127.0.0.1,port=%d,user=%s,key_file=%s:" % (gw.port, USER, path("user"))
    env = dict(os.environ, RCLONE_CONFIG="/dev/null")
    with Growing(log, 61):
        for argv in (("copyto", remote + "/trail/checkpoint", path("first")),
                     ("copy", "--exclude", "/checkpoint", remote + "/trail", path("rclone"))):
            r = run("rclone", *argv, env=env)
            assert r.returncode == 0, r.stdout
    os.rename(path("first"), path("rclone/checkpoint"))
    whole_mirror(path("rclone"))


@seeing
def paramiko_mirrors_while_it_grows(gw):
    log = Log(gw.box)
    log.add(256 * 5 + 100)
    c = gw.paramiko()

    def mirror(there, here):
        os.makedirs(here)
        for x in c.listdir_attr(there):
            if stat.S_ISDIR(x.st_mode):
                mirror(there + "/" + x.filename, here + "/" + x.filename)
            else:
                c.get(there + "/" + x.filename, here + "/" + x.filename)
    with Growing(log, 61):
        mirror("/trail", path("paramiko"))
    whole_mirror(path("paramiko"))


@seeing
def a_large_folder_streams(gw):
    d = path(gw.box, "trail/tile/entries/x001")
    os.makedirs(d)
    for i in range(1000):
        write(os.path.join(d, "%03d" % i), b"x" * i)
    c = gw.paramiko()
    got = {x.filename: x.st_size for x in c.listdir_attr("/trail/tile/entries/x001")}
    assert got == {"%03d" % i: i for i in range(1000)}
    # several at once keep their own places
    r = Raw(gw)
    handles = []
    for _ in range(64):
        r.send(11, struct.pack(">I", 1) + s(b"/trail/tile/entries/x001"))
        kind, body = r.recv()
        assert kind == 102
        handles.append(body[8:])
    assert r.open(b"/trail/tile/entries/x001/001", 1) == 4      # no more handles
    seen = [0, 0]
    for turn in range(40):
        for k in (0, 1):
            r.send(12, struct.pack(">I", 1) + s(handles[k]))
            kind, body = r.recv()
            if kind == 104:
                seen[k] += struct.unpack(">I", body[4:8])[0]
    assert seen == [1002, 1002], seen


@seeing
def archives_of_all(gw):
    os.makedirs(path(gw.box, "archive/2026-11-01"))
    write(gw.box + "/archive/2026-11-01/own.xml", b"own")
    for m in ("PLB", "CUA"):
        os.makedirs(path(gw.box, "others", m, "2026-11-02"))
        write(gw.box + "/others/%s/2026-11-02/n.xml" % m, m.encode())
        os.makedirs(path(gw.box, "others", m, "outbox"))
    for i in range(3000):
        os.mkdir(path(gw.box, "others", "M%04d" % i))
    c = gw.paramiko()
    names = c.listdir("/archive")
    assert names[0] == "2026-11-01" and set(names[1:]) == {"PLB", "CUA"} | {"M%04d" % i for i in range(3000)}
    assert len(names) == 3003
    assert all(stat.S_ISDIR(x.st_mode) for x in c.listdir_attr("/archive"))
    assert c.listdir("/archive/PLB") == ["2026-11-02"]
    assert c.listdir("/archive/PLB/2026-11-02") == ["n.xml"]
    assert c.listdir("/archive/2026-11-01") == ["own.xml"]
    assert stat.S_ISDIR(c.stat("/archive/CUA").st_mode)
    assert c.stat("/archive/CUA/2026-11-02/n.xml").st_size == 3
    with c.open("/archive/CUA/2026-11-02/n.xml") as f:
        assert f.read() == b"CUA"
    for name in ("/archive/PLB/2026-11-01", "/archive/PLC", "/archive/PLB/outbox", "/archive/PLB/2026-11-02/m.xml",
                 "/archive/plb", "/archive/PLB/2026-11-02/../../../etc"):
        refused(lambda: c.stat(name), FileNotFoundError)
    r = gw.sftp("ls -l /archive/PLB/2026-11-02", "get -r /archive/CUA %s" % path("cua"))
    assert r.returncode == 0 and read("cua/2026-11-02/n.xml") == b"CUA", r.stdout


@seeing
def a_withdrawal_ends_it_at_once(gw):
    log = Log(gw.box)
    log.add(300)
    os.makedirs(path(gw.box, "others/PLB/2026-11-02"))
    write(gw.box + "/others/PLB/2026-11-02/n.xml", b"n")
    c = gw.paramiko()
    f = c.open("/trail/key")
    g = c.open("/archive/PLB/2026-11-02/n.xml")
    r = Raw(gw)
    r.send(11, struct.pack(">I", 1) + s(b"/trail/tile/0"))
    listing = r.recv()[1][8:]
    assert f.read(4) == b"test"
    assert gw.toggle() == 0
    end = time.monotonic() + 10
    while "trail" in c.listdir("/"):
        assert time.monotonic() < end
        time.sleep(0.02)
    f.seek(0)
    refused(f.read, PermissionError)
    refused(g.read, PermissionError)
    r.send(12, struct.pack(">I", 1) + s(listing))
    assert r.status() == 3
    for name in ("/trail", "/trail/key", "/archive/PLB", "/archive/PLB/2026-11-02/n.xml"):
        refused(lambda: c.stat(name), FileNotFoundError)
        refused(lambda: c.open(name))
        refused(lambda: c.listdir(name), FileNotFoundError)
    assert c.listdir("/archive") == []
    f.close()
    assert c.listdir("/outbox") == []
    assert gw.toggle() == 1
    end = time.monotonic() + 10
    while "trail" not in c.listdir("/"):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert c.listdir("/archive") == ["PLB"]


@test
def others_see_none_of_it(gw):
    os.makedirs(path(gw.box, "trail/tile"), exist_ok=True)
    os.makedirs(path(gw.box, "others/PLB/2026-11-02"), exist_ok=True)
    write(gw.box + "/trail/key", b"k")
    write(gw.box + "/others/PLB/2026-11-02/n.xml", b"n")
    c = gw.paramiko()
    assert c.listdir("/") == ["inbox", "outbox", "archive"]
    assert "PLB" not in c.listdir("/archive")
    for name in ("/trail", "/trail/key", "/trail/tile", "/archive/PLB", "/archive/PLB/2026-11-02",
                 "/archive/PLB/2026-11-02/n.xml", "/archive/PLA"):
        refused(lambda: c.stat(name), FileNotFoundError)
        refused(lambda: c.open(name), FileNotFoundError)
        refused(lambda: c.listdir(name), FileNotFoundError)


def main():
    for k in ("host", "user", "other"):
        run("ssh-keygen", "-qt", "ed25519", "-N", "", "-f", path(k))
    write("muhur.conf", b'login_grace = 6\nidle_timeout = 60\nmax_document_size = "8M"\n'
          b'inbox_quota = "64M"\nmax_sessions = 40\nmax_sessions_per_address = 16\n')
    gw = Gateway("box")
    bad = 0
    print("1..%d" % len(tests))
    only = sys.argv[1:]
    for i, f in enumerate(tests, 1):
        if only and f.__name__ not in only:
            continue
        why = None
        try:
            why = f(gw)
            print("ok %d %s%s" % (i, f.__name__, " # SKIP " + why if why else ""))
        except Exception:
            bad += 1
            print("not ok %d %s" % (i, f.__name__))
            print("# " + traceback.format_exc().replace("\n", "\n# "))
        sys.stdout.flush()
        while transports:
            transports.pop().close()
    gw.stop()
    log = read("box.log").decode(errors="replace")
    for word in ("a session died", "AddressSanitizer", "runtime error", "alarm:"):
        if word in log:
            bad += 1
            print("# the gateway's log has \"%s\"" % word)
    if bad or os.environ.get("MUHUR_TEST_LOG"):
        print("# " + "\n# ".join(log.splitlines()[-40:]))
    shutil.rmtree(T)
    return 1 if bad else 0


sys.exit(main())

# SPDX-License-Identifier: ISC
"""What the system tests share: a market (private PostgreSQL, PKI, gateway) in
a folder of its own, signed documents, SFTP, and TAP output.

The binaries come from $MUHUR_BINDIR.  Nothing here sleeps and hopes: every
wait has a condition and a limit."""

import contextlib
import datetime
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as ET

import paramiko

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("MUHUR_BINDIR", os.path.join(TOP, "build", "bin"))
MARKET = os.path.join(TOP, "tests", "market")
# Of a wait, in seconds: it costs only where a test fails, and a machine may be very busy.
LIMIT = float(os.environ.get("MUHUR_TEST_LIMIT", "240"))

ISTANBUL = datetime.timezone(datetime.timedelta(hours=3))


def last_closed_day(now=None):
    """Day D closes at 23:59 Europe/Istanbul (contract: business time)."""
    now = (now or datetime.datetime.now(datetime.timezone.utc)).astimezone(ISTANBUL)
    return (now + datetime.timedelta(minutes=1)).date() - datetime.timedelta(days=1)


def wait_for(what, condition, limit=LIMIT):
    """The first true value of condition(); fails loudly after the limit."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not so after {limit:g} s")
        time.sleep(0.05)


def run(*argv, ok=(0,), **kw):
    p = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, **kw)
    if ok is not None and p.returncode not in ok:
        raise AssertionError(f"{' '.join(map(str, argv))}: exit {p.returncode}\n{p.stdout}{p.stderr}")
    return p


# Of what submissions say, but for decisions and rights: src/model/record.c.
RECORD_TABLES = [f"muhur.{t}" for t in (
    "balance", "price", "custody_omnibus", "custody_direct", "movement", "netting", "wallet", "reserve", "listing",
    "reference_rate", "reference_asset", "reference_weight", "reference_day", "response")] + ["muhur_identity.request"]


class Notice:
    """A notice as a member sees it."""

    def __init__(self, name, data):
        self.name, self.data = name, data
        self.root = ET.fromstring(data)

    def text(self, path):
        node = self.root.find("/".join("{*}" + p for p in path.split("/")))
        return None if node is None else node.text

    def all(self, name):
        return [e for e in self.root.iter() if e.tag.rsplit("}", 1)[-1] == name]

    @property
    def codes(self):
        return sorted({e.get("Code") or next(c.text for c in e if c.tag.endswith("}Code"))
                       for e in self.all("Error")})


class Reports:
    """Unsigned reports, each with a MessageId and a Sequence of its own."""

    seq = 0

    def header(self, kind, user, count, totals, date=None, message_id=None, replaces=None,
               sender=None, created=None, sequence=None):
        self.seq += 1
        date = date or last_closed_day()
        created = created or datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (f"<Header><MessageId>{message_id or f'T{os.getpid()}-{self.seq}'}</MessageId>"
                f"<MessageType>{kind}</MessageType><SchemaVersion>1</SchemaVersion>"
                f"<SenderMemberCode>{sender or user[:-3]}</SenderMemberCode><UserCode>{user}</UserCode>"
                f"<BusinessDate>{date}</BusinessDate><CreatedAt>{created}</CreatedAt>"
                f"<Sequence>{sequence or self.seq}</Sequence>"
                + (f"<ReplacesMessageId>{replaces}</ReplacesMessageId>" if replaces else "")
                + f"<RecordCount>{count}</RecordCount><ControlTotals>"
                + "".join(f'<Total Asset="{a}" Qty="{q}"/>' for a, q in sorted(totals.items()))
                + "</ControlTotals></Header>")

    def balance_report(self, user="PLA001", lines=None, totals=None, count=None, **kw):
        lines = [("1000000001", "C1", "CUA", "4H95J0R2X", "1.5")] if lines is None else lines
        if totals is None:
            totals = {}
            for line in lines:
                totals[line[3]] = _plain(_dec(totals.get(line[3], "0")) + _dec(line[4]))
        body = "".join(f'<Bal Reg="{r}" Cust="{c}" Held="{h}" Asset="{a}" Qty="{q}"/>\n'
                       for r, c, h, a, q in lines)
        head = self.header("BalanceReport", user, len(lines) if count is None else count, totals, **kw)
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<BalanceReport xmlns="urn:muhur:xsd:balance-report:1">\n'
                f"{head}\n<Balances>\n{body}</Balances>\n</BalanceReport>\n")

    def custody_report(self, user="CUA001", lines=None, **kw):
        lines = [("PLA", "4H95J0R2X", "COLD", "1.5")] if lines is None else lines
        totals = {}
        for line in lines:
            totals[line[1]] = _plain(_dec(totals.get(line[1], "0")) + _dec(line[3]))
        body = "".join(f'<Omn Plat="{p}" Asset="{a}" Wlt="{w}" Qty="{q}"/>\n' for p, a, w, q in lines)
        head = self.header("CustodyReport", user, len(lines), totals, **kw)
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<CustodyReport xmlns="urn:muhur:xsd:custody-report:1">\n'
                f"{head}\n<Omnibus>\n{body}</Omnibus>\n</CustodyReport>\n")


    def message(self, kind, user, body, count, totals=None, **kw):
        """Of any type: its sections as they stand in body."""
        ns = re.sub("(?<=[a-z])(?=[A-Z])", "-", kind).lower()
        head = self.header(kind, user, count, totals or {}, **kw)
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="urn:muhur:xsd:{ns}:1">\n{head}\n'
                f"{body}</{kind}>\n")

    def decision(self, kind, user, message_id, sha256, **kw):
        """An Approval or a Cancellation of a message that waits."""
        head = self.header(kind, user, 1, {}, **kw)
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="urn:muhur:xsd:{kind.lower()}:1">\n{head}\n'
                f'<Targets><Target MessageId="{message_id}" SHA256="{sha256}"/></Targets>\n</{kind}>\n')


    def authorization(self, user, changes, **kw):
        """An AuthorizationChange of {attribute: value} each."""
        head = self.header("AuthorizationChange", user, len(changes), {}, **kw)
        body = "".join("<Change " + " ".join(f'{k}="{v}"' for k, v in c.items()) + "/>\n" for c in changes)
        return ('<?xml version="1.0" encoding="UTF-8"?>\n<AuthorizationChange xmlns="urn:muhur:xsd:authorization-change:1">\n'
                f"{head}\n<Changes>\n{body}</Changes>\n</AuthorizationChange>\n")


class Market(Reports):
    """A running gateway with the sample market's members and their users.  wrapper makes, of
    a folder that every role can write to, the command that muhurd and its arguments are given
    to: valgrind's, say; limit is for the gateway's start."""

    def __init__(self, conf="", bin=BIN, wrapper=None, limit=LIMIT):
        self.dir = tempfile.mkdtemp(prefix="market.", dir=os.environ.get("MUHUR_TEST_DIR"))
        os.chmod(self.dir, 0o755)
        self.bin = bin
        self.env = dict(os.environ, MARKET_LIMIT=str(int(limit)))
        if wrapper:
            logs = os.path.join(self.dir, "valgrind")
            os.mkdir(logs)
            os.chmod(logs, 0o1777)
            self.env["MARKET_WRAPPER"] = script = os.path.join(self.dir, "wrapper")
            with open(script, "w") as f:
                f.write(f'#!/bin/sh\nexec {shlex.join(wrapper(logs))} "$@"\n')
            os.chmod(script, 0o755)
        extra = os.path.join(self.dir, "extra.conf")
        with open(extra, "w") as f:
            f.write(conf)
        try:
            run(MARKET, "up", self.dir, "--bin", bin, "--conf-extra", extra, timeout=60 + limit,
                stdin=subprocess.DEVNULL, env=self.env)
        except Exception:
            self.dump_log()
            raise
        self.conf = os.path.join(self.dir, "muhur.conf")
        self.pki = os.path.join(self.dir, "pki")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        if kind is not None:
            self.dump_log()
        run(MARKET, "down", self.dir, ok=None, timeout=LIMIT)
        if not os.environ.get("MUHUR_TEST_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def dump_log(self, lines=40):
        log = os.path.join(self.dir, "muhurd.log")
        if os.path.exists(log):
            with open(log, errors="replace") as f:
                for line in f.readlines()[-lines:]:
                    print("# " + line.rstrip())

    # -- the gateway ----------------------------------------------------------
    @property
    def port(self):
        with open(os.path.join(self.dir, "state", "port")) as f:
            return int(f.read())

    @property
    def muhurd_pid(self):
        with open(os.path.join(self.dir, "muhurd.pid")) as f:
            return int(f.read())

    def child(self, program):
        """The pid of muhurd's own process of that program, "muhur-archive" or "muhur-load -D", once it is there."""
        def find():
            out = run("ps", "-o", "pid=,args=", "--ppid", self.muhurd_pid, ok=None).stdout
            lines = [line.split() for line in out.splitlines()]
            pids = [int(w[0]) for w in lines if len(w) > 1
                    and os.path.basename(w[1]) + (" -D" if "-D" in w else "") == program]
            return pids[0] if len(pids) == 1 else None
        return wait_for(f"{program} is there", find)

    def stop(self, sig=signal.SIGTERM):
        pid = self.muhurd_pid
        os.kill(pid, sig)
        wait_for("muhurd has ended", lambda: not os.path.exists(f"/proc/{pid}")
                 or open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "Z")

    def start(self):
        run(MARKET, "start", self.dir, timeout=60 + int(self.env["MARKET_LIMIT"]), stdin=subprocess.DEVNULL, env=self.env)

    def set_conf(self, key, value):
        with open(self.conf) as f:
            text = f.read()
        text = re.sub(rf"(?m)^\s*{key}\s*=.*\n", "", text)
        with open(self.conf, "w") as f:
            f.write(text + f"{key} = {value}\n")

    def muhur(self, *argv, ok=(0,), **kw):
        return run(os.path.join(self.bin, "muhur"), "-c", self.conf, *argv, ok=ok, **kw)

    def json(self, *argv, ok=(0,)):
        out = self.muhur("--json", *argv, ok=ok).stdout
        return [json.loads(line) for line in out.splitlines() if line.strip()]

    def only_right(self, user="PLA001", kind="BalanceReport"):
        """The user, who got those of all that its member's kind sends, keeps one type's rights."""
        for other, in self.sql(f"SELECT DISTINCT message_type FROM muhur.user_right WHERE user_code = '{user}'"
                               f" AND valid_to IS NULL AND message_type <> '{kind}' ORDER BY 1"):
            self.muhur("user", "withdraw", user, "--type", other)

    def sql(self, query):
        """One query as the owner of the schema, for looking at what was kept."""
        p = run(MARKET, "psql", self.dir, "-At", "-c", query)
        return [line.split("|") for line in p.stdout.splitlines()]

    def alive(self):
        return os.path.exists(f"/proc/{self.muhurd_pid}")

    def log_size(self):
        return os.path.getsize(os.path.join(self.dir, "muhurd.log"))

    def log(self, since=0):
        with open(os.path.join(self.dir, "muhurd.log"), "rb") as f:
            f.seek(since)
            return f.read().decode(errors="replace")

    def sound(self, since=0):
        """The gateway lives and nothing in its log says that a program broke."""
        assert self.alive()
        text = self.log(since)
        for sign in ("Sanitizer", "runtime error", "SIGSYS", "signal 6", "signal 11", "signal 31"):
            assert sign not in text, [line for line in text.splitlines() if sign in line][:3]

    # -- documents --------------------------------------------------------------
    def sign(self, xml, user="PLA001", key=None, cert=None, chain=None):
        """The document signed as bytes."""
        with tempfile.TemporaryDirectory(dir=self.dir) as d:
            src, dst = os.path.join(d, "in.xml"), os.path.join(d, "out.xml")
            with open(src, "wb") as f:
                f.write(xml.encode() if isinstance(xml, str) else xml)
            run(os.path.join(self.bin, "muhur"), "sign", "--key", key or f"{self.pki}/{user}.key",
                "--cert", cert or f"{self.pki}/{user}.pem", *(["--chain", chain] if chain else []), src, dst)
            with open(dst, "rb") as f:
                return f.read()

    def signed(self, **kw):
        """A signed balance report of PLA001."""
        return self.sign(self.balance_report(**kw))

    # -- SFTP ---------------------------------------------------------------------
    @contextlib.contextmanager
    def sftp(self, user, key=None):
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect("127.0.0.1", self.port, username=user, key_filename=key or f"{self.pki}/{user}.ssh",
                       allow_agent=False, look_for_keys=False, timeout=LIMIT, banner_timeout=LIMIT, auth_timeout=LIMIT)
        try:
            yield client.open_sftp()
        finally:
            client.close()

    def send(self, data, user="PLA001", name=None):
        """Upload; returns the name.  Success of the close is part of it."""
        self.seq += 1
        name = name or f"doc-{os.getpid()}-{self.seq}.xml"
        with self.sftp(user) as s:
            put(s, data, name)
        return name

    def outbox(self, member_user):
        with self.sftp(member_user) as s:
            return sorted(s.listdir("/outbox"))

    def get(self, user, path):
        with self.sftp(user) as s, s.open(path, "rb") as f:
            return Notice(os.path.basename(path), f.read())

    def answer(self, name, user="PLA001", limit=LIMIT):
        """The notices (received, decision) to the submission last sent as name."""
        def find():
            rows = self.sql("SELECT s.id, n.level FROM muhur.submission s JOIN muhur.notice n ON n.submission = s.no"
                            f" WHERE s.file_name = '{name}' AND n.published_at IS NOT NULL"
                            f" AND s.no = (SELECT max(no) FROM muhur.submission WHERE file_name = '{name}')")
            levels = {level: f"/outbox/{ident}.{level}.xml" for ident, level in rows}
            if "received" in levels and ("accepted" in levels or "rejected" in levels):
                return levels
        levels = wait_for(f"an answer to {name}", find, limit)
        return (self.get(user, levels["received"]),
                self.get(user, levels.get("accepted") or levels["rejected"]))

    def exchange(self, data, user="PLA001", name=None):
        """Send and return (decision, codes): ("accepted", []) or ("rejected", [...])."""
        name = self.send(data, user, name)
        _, decision = self.answer(name, user)
        return decision.name.split(".")[1], decision.codes

    def verify_xmlsec(self, data):
        with tempfile.NamedTemporaryFile(dir=self.dir, suffix=".xml") as f:
            f.write(data)
            f.flush()
            return run("xmlsec1", "--verify", "--trusted-pem", f"{self.pki}/root.pem", f.name, ok=None)

    def sent(self, name):
        """How many submissions came under this name."""
        name = name.replace("'", "''")
        return int(self.sql(f"SELECT count(*) FROM muhur.submission WHERE file_name = '{name}'")[0][0])

    def openssh(self, *options, user="PLA001"):
        """OpenSSH's sftp, as arguments."""
        return ["sftp", "-q", *options, "-P", str(self.port), "-i", f"{self.pki}/{user}.ssh", "-o",
                "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.dir}/kh", "-o", "IdentitiesOnly=yes",
                f"{user}@127.0.0.1"]

    def records(self):
        return sum(int(self.sql(f"SELECT count(*) FROM {t}")[0][0]) for t in RECORD_TABLES)


def close(s, f):
    """Close and believe only the server: Paramiko's own close swallows errors."""
    f.flush()
    s._request(paramiko.sftp.CMD_CLOSE, f.handle)
    f._closed = True


def put(s, data, name, folder="/inbox"):
    f = s.open(f"{folder}/{name}", "wb")
    f.set_pipelined(True)
    f.write(data)
    f.set_pipelined(False)
    close(s, f)


def _dec(text):
    import decimal
    decimal.getcontext().prec = 60
    return decimal.Decimal(text)


def _plain(value):
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Skip(Exception):
    """What a test needs is not there: why."""


def main(*tests):
    """Run the tests in order, TAP on stdout; exit 1 where one failed."""
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for n, test in enumerate(tests, 1):
        title = (test.__doc__ or test.__name__).strip().splitlines()[0]
        try:
            test()
            print(f"ok {n} - {title}", flush=True)
        except Skip as e:
            print(f"ok {n} - {title} # SKIP {e}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {n} - {title}")
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            sys.stdout.flush()
    if failed:
        sys.exit(1)

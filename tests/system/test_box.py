#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The drop-box as members and their stock clients see it."""

import os
import shutil
import stat
import subprocess

import lib

market = None


def sftp_batch(user, *lines, ok=(0,), key=None):
    argv = ["sftp", "-q", "-b", "-", "-P", str(market.port), "-i", key or f"{market.pki}/{user}.ssh",
            "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={market.dir}/kh",
            "-o", "IdentitiesOnly=yes", f"{user}@127.0.0.1"]
    return lib.run(*argv, ok=ok, input="\n".join(lines) + "\n")


def document(tag):
    path = os.path.join(market.dir, f"{tag}.xml")
    with open(path, "wb") as f:
        f.write(market.sign(market.balance_report()))
    return path


def accepted(name):
    _, notice = market.answer(name)
    assert notice.name.endswith(".accepted.xml"), notice.codes


def openssh():
    """OpenSSH sftp: put, ls, get; the certificate's own key logs in as well"""
    sftp_batch("PLA001", f"put {document('ossh')} /inbox/")
    accepted("ossh.xml")
    out = sftp_batch("PLA001", "ls -l /inbox", "ls /").stdout
    assert "ossh.xml" in out and all(d in out for d in ("inbox", "outbox", "archive")), out
    names = market.outbox("PLA001")
    sftp_batch("PLA001", f"get /outbox/{names[0]} {market.dir}/")
    assert os.path.getsize(os.path.join(market.dir, names[0])) > 0
    for user in ("PLA001", "PLB001", "CUA001", "CUB001"):
        assert "outbox" in sftp_batch(user, "ls -1 /", key=f"{market.pki}/{user}.key").stdout


def resume():
    """a cut upload is not taken; reput completes it and then it is"""
    path = document("cut")
    with open(path, "rb") as f:
        data = f.read()
    with market.sftp("PLA001") as s:
        f = s.open("/inbox/cut.xml", "wb")
        f.write(data[:700])
        f.flush()
        s.sock.get_transport().close()		# the line drops, no close
    with market.sftp("PLA001") as s:
        assert s.stat("/inbox/cut.xml").st_size == 700
    assert market.sql("SELECT 1 FROM muhur.submission WHERE file_name = 'cut.xml'") == []
    sftp_batch("PLA001", f"reput {path} /inbox/cut.xml")
    accepted("cut.xml")


def half_dead():
    """a silent connection's upload is begun anew by another, which is taken; the silent one's close fails"""
    with market.sftp("PLA001") as a, market.sftp("PLA001") as b:
        for mode in ("wb", "xwb"):		# TRUNC; CREAT with EXCL after a removal
            name = f"silent-{mode}.xml"
            with open(document("silent"), "rb") as doc:
                data = doc.read()
            f = a.open(f"/inbox/{name}", "wb")
            f.write(data[:700])
            f.flush()
            assert b.stat(f"/inbox/{name}").st_size == 700
            if mode == "xwb":
                b.remove(f"/inbox/{name}")
            g = b.open(f"/inbox/{name}", mode)
            g.write(data)
            lib.close(b, g)
            try:
                lib.close(a, f)
                raise AssertionError("the silent one's bytes were taken")
            except OSError as e:
                assert "taken" in str(e), e
            f._closed = True			# or its end would close the next one's handle
            accepted(name)			# so it was the whole of it


def partial_names():
    """.part, .tmp, .filepart are taken when they are renamed to their final name"""
    for suffix in (".part", ".tmp", ".filepart"):
        name = f"ren{suffix[1:]}.xml"
        with open(document("ren"), "rb") as f:
            data = f.read()
        with market.sftp("PLA001") as s:
            lib.put(s, data, name + suffix)
            assert s.stat(f"/inbox/{name}{suffix}").st_size == len(data)
            s.rename(f"/inbox/{name}{suffix}", f"/inbox/{name}")
        accepted(name)
    with market.sftp("PLA001") as s:
        lib.put(s, b"", "none.xml.part")
        try:
            s.rename("/inbox/none.xml.part", "/inbox/none.xml")
            raise AssertionError("an empty one became final")
        except OSError as e:
            assert "nothing was written" in str(e), e
        s.remove("/inbox/none.xml.part")


def zero_bytes():
    """a close of nothing is not taken and can be removed"""
    with market.sftp("PLA001") as s:
        lib.put(s, b"", "zero.xml")
        assert s.stat("/inbox/zero.xml").st_size == 0
        s.remove("/inbox/zero.xml")
        assert "zero.xml" not in s.listdir("/inbox")
    assert market.sql("SELECT 1 FROM muhur.submission WHERE file_name = 'zero.xml'") == []


def taken_is_listed():
    """a taken upload stays listed read-only; chmod and utime on it succeed, change nothing"""
    with open(document("listed"), "rb") as f:
        data = f.read()
    with market.sftp("PLA001") as s:
        lib.put(s, data, "listed.xml")
        st = s.stat("/inbox/listed.xml")
        assert st.st_size == len(data) and not st.st_mode & 0o222 and stat.S_ISREG(st.st_mode)
        s.chmod("/inbox/listed.xml", 0o777)
        s.utime("/inbox/listed.xml", (1, 1))
        assert s.stat("/inbox/listed.xml").st_size == len(data)
        for call in (lambda: s.open("/inbox/listed.xml", "r+b"), lambda: s.remove("/inbox/listed.xml")):
            try:
                call()
                raise AssertionError("a taken upload could be changed")
            except OSError:
                pass
    accepted("listed.xml")
    with market.sftp("PLA001") as s:
        with open(document("listed"), "rb") as f:
            lib.put(s, f.read(), "listed.xml")		# TRUNC begins a new upload
    lib.wait_for("the second one", lambda: market.sql(
        "SELECT count(*) FROM muhur.submission WHERE file_name = 'listed.xml' AND state = 'accepted'") == [["2"]])


def gaps():
    """closing an upload with a gap fails, and it is not taken"""
    with market.sftp("PLA001") as s:
        f = s.open("/inbox/gap.xml", "wb")
        f.write(b"<a>")
        f.seek(100)
        f.write(b"</a>")
        try:
            lib.close(s, f)
            raise AssertionError("a gap was closed over")
        except OSError:
            pass
    assert market.sql("SELECT 1 FROM muhur.submission WHERE file_name = 'gap.xml'") == []


def forbidden():
    """writing outside the inbox, odd names, directories: refused, the session lives"""
    with market.sftp("PLA001") as s:
        for path in ("/outbox/x.xml", "/archive/x.xml", "/x.xml", "/inbox/../outbox/x.xml", "/inbox/.hidden",
                     "/inbox/a\nb.xml", "/inbox/" + "n" * 300, "/inbox/sub/x.xml", "/etc/passwd"):
            try:
                s.open(path, "wb").close()
                raise AssertionError(f"{path!r} could be opened for writing")
            except OSError:
                pass
        for call in (lambda: s.mkdir("/inbox/dir"), lambda: s.rmdir("/outbox"), lambda: s.symlink("/etc", "/inbox/l"),
                     lambda: s.remove("/outbox/" + s.listdir("/outbox")[0]),
                     lambda: s.listdir("/inbox/.."+"/../etc"),
                     lambda: s.rename("/outbox/" + s.listdir("/outbox")[0], "/inbox/mine.xml")):
            try:
                call()
                raise AssertionError("a forbidden call succeeded")
            except OSError:
                pass
        assert s.normalize("/inbox/../outbox") == "/outbox"
    with market.sftp("PLB001") as s:
        names = set(s.listdir("/outbox"))
    assert not names & set(market.outbox("PLA001")), "members see each other's notices"


def logins():
    """wrong key, unknown user, suspended user, another member's key: no login"""
    def fails(user, key):
        try:
            with market.sftp(user, key=key) as s:
                s.listdir("/")
        except Exception:
            return True
        return False
    assert fails("PLA001", f"{market.pki}/PLB001.ssh")
    assert fails("PLX001", f"{market.pki}/PLA001.ssh")
    assert fails("root", f"{market.pki}/PLA001.ssh")
    market.muhur("user", "suspend", "PLB001")
    assert fails("PLB001", f"{market.pki}/PLB001.ssh")
    market.muhur("user", "resume", "PLB001")
    assert not fails("PLB001", f"{market.pki}/PLB001.ssh")
    p = subprocess.run(["ssh", "-p", str(market.port), "-i", f"{market.pki}/PLA001.ssh", "-o", "BatchMode=yes",
                        "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={market.dir}/kh",
                        "PLA001@127.0.0.1", "id"], capture_output=True, timeout=lib.LIMIT)
    assert p.returncode != 0 and b"uid=" not in p.stdout


def scp():
    """OpenSSH scp (over SFTP)"""
    lib.run("scp", "-q", "-s", "-P", str(market.port), "-i", f"{market.pki}/PLA001.ssh",
            "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={market.dir}/kh",
            document("scp"), "PLA001@127.0.0.1:/inbox/scp.xml")
    accepted("scp.xml")


def other_clients():
    """curl, lftp, psftp and rclone, where they are installed"""
    if shutil.which("curl") and "sftp" in lib.run("curl", "--version").stdout:
        lib.run("curl", "-sS", "-k", "--pubkey", f"{market.pki}/PLA001.ssh.pub", "--key", f"{market.pki}/PLA001.ssh",
                "-T", document("curl"), f"sftp://PLA001@127.0.0.1:{market.port}/inbox/curl.xml", "-u", "PLA001:")
        accepted("curl.xml")
    else:
        print("# curl is absent")
    if shutil.which("lftp"):
        lib.run("lftp", "-c", "set sftp:auto-confirm yes; set net:max-retries 1; set sftp:connect-program"
                f" 'ssh -a -x -i {market.pki}/PLA001.ssh -o StrictHostKeyChecking=no"
                f" -o UserKnownHostsFile={market.dir}/kh'; open -u PLA001, sftp://127.0.0.1:{market.port};"
                f" put -O /inbox {document('lftp')}")
        accepted("lftp.xml")
    else:
        print("# lftp is absent")
    if shutil.which("rclone"):
        lib.run("rclone", "--config", "/dev/null", "copyto", document("rclone"),
                f":sftp,host=127.0.0.1,port={market.port},user=PLA001,key_file={market.pki}/PLA001.ssh,"
                "shell_type=none,md5sum_command=none,sha1sum_command=none:/inbox/rclone.xml",
                timeout=lib.LIMIT)
        accepted("rclone.xml")
    else:
        print("# rclone is absent")


with lib.Market() as market:
    lib.main(openssh, resume, half_dead, partial_names, zero_bytes, taken_is_listed, gaps, forbidden, logins, scp, other_clients)

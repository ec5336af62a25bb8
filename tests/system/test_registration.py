#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Registry numbers: requests sent and answered, the outside check, and that no
person gets into logs, findings or notices."""

import os

import lib

market = None

# two T.C. identity numbers with right check digits: d1..d9 100000001 make
# d10 = 7 * (1 + 1) mod 10 = 4, d11 = 1 + 1 + 4 = 6; 100000002: 7 * 3 mod 10 = 1, 1 + 2 + 1 = 4
FIRST, SECOND = "10000000146", "10000000214"
NAMES = ("Zeynep Gizli", "Mehmet Sakl")


def request(user, investors, **kw):
    head = market.header("RegistrationRequest", user, len(investors), {}, **kw)
    body = "".join("<Inv " + " ".join(f'{k}="{v}"' for k, v in i.items()) + "/>\n" for i in investors)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<RegistrationRequest xmlns="urn:muhur:xsd:registration-request:1">\n'
            f"{head}\n<Investors>\n{body}</Investors>\n</RegistrationRequest>\n")


def person(no, name, **kw):
    return {"Type": "TCKN", "No": no, "Name": name, "Birth": "1990-01-02", **kw}


def answers(notice):
    """The answer to each record: number, code, registry number or None."""
    return [(r.get("No"), r.get("Code"), r.get("Reg")) for r in notice.all("Record")]


def ask(user, message_id, *investors):
    """A request; what its accepted notice answers."""
    name = market.send(market.sign(request(user, investors, message_id=message_id), user), user)
    notice = market.answer(name, user)[1]
    assert notice.text("Status") == "accepted", notice.codes
    assert market.verify_xmlsec(notice.data).returncode == 0
    return answers(notice)


def one_number():
    """two members register the same person: one number"""
    (no, code, number), wrong = ask("PLA001", "g1", person(FIRST, NAMES[0]), person("10000000147", NAMES[0]))
    assert (no, code) == ("1", "REGISTERED") and len(number) == 10, number
    assert wrong == ("2", "REFUSED", None), "d11 is 6"
    assert ask("CUA001", "g2", person(FIRST, NAMES[0].upper()), person(FIRST, NAMES[1])) == \
        [("1", "REGISTERED", number), ("2", "REFUSED", None)]
    assert market.json("identity", "show", number)[0]["members"] == ["CUA", "PLA"]


def outside_check():
    """with an outside check the number comes in the result"""
    people = os.path.join(market.dir, "people.tsv")
    program = os.path.join(os.path.dirname(market.bin), "libexec/muhur/muhur-identity-file")
    with open(people, "w") as f:
        f.write("")
    market.set_conf("identity_check", f'{{"{program}", "{people}"}}')
    market.stop()
    market.start()
    assert ask("PLA001", "g3", person(SECOND, NAMES[1])) == [("1", "ASKED", None)]
    assert market.json("identity", "check")[0] == {"asked": 1, "accepted": 0, "refused": 0, "open": 1, "results": 0}
    with open(people, "w") as f:
        f.write(f"TCKN\t\t{SECOND}\t{NAMES[1]}\t1990-01-02\n")
    assert market.json("identity", "check")[0] == {"asked": 1, "accepted": 1, "refused": 0, "open": 0, "results": 1}
    path = lib.wait_for("the result", lambda: (market.sql(
        "SELECT '/outbox/' || n.file_name FROM muhur.notice n JOIN muhur.submission s ON s.no = n.submission"
        " WHERE s.message_id = 'g3' AND n.level = 'result' AND n.published_at IS NOT NULL") or [[None]])[0][0])
    notice = market.get("PLA001", path)
    assert market.verify_xmlsec(notice.data).returncode == 0
    assert notice.text("Status") == "result" and notice.text("Level") == "iii"
    (no, code, number), = answers(notice)
    assert (no, code) == ("1", "REGISTERED") and len(number) == 10


def nobody_named():
    """no person in logs, events, findings or what the other roles read"""
    log = market.log()
    for secret in (*NAMES, FIRST, SECOND):
        assert secret not in log, "in the log"
        for table in ("event", "record_finding", "record_answer", "notice", "submission_reason", "registry_number"):
            assert [["0"]] == market.sql(f"SELECT count(*) FROM muhur.{table} t WHERE t::text LIKE '%{secret}%'"), table


if __name__ == "__main__":
    with lib.Market() as market:
        lib.main(one_number, outside_check, nobody_named)
        market.sound()

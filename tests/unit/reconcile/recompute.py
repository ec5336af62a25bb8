# SPDX-License-Identifier: ISC
"""The rules once more, in plain Python: from the words of the articles and of
the rules' heads, not from their SQL.  It reads the rows of a Market (market.py)
and gives the breaks that a run of a day must find.  R1 to R5 are here; a module
with further rules makes a list like RULES of functions that take a Day.

Sums are exact: a Decimal operation that would round is an error."""

import collections
import datetime
import decimal
from decimal import Decimal

EXACT = decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation])

# records: {message id: [record numbers]}, or None where a break has none
Break = collections.namedtuple("Break", "rule kind key platform custodian asset platform_quantity "
                               "custodian_quantity difference records")

# As shipped (schemas/sql/010-messages.sql)
DEFAULTS = {"R1.tolerance": "0", "R2.tolerance": "0", "R3.tolerance": "0", "R4.movement": "begun", "R4.netting": "begun",
            "R4.holding": "begun", "R4.reference": "begun", "R5.listing": "begun", "R5.registry": "begun",
            "break.limit": "10000"}


def add(numbers):
    total = Decimal(0)
    for n in numbers:
        total = EXACT.add(total, n)
    return total


def minus(a, b):
    return EXACT.subtract(a, b)


# A record in its report: its number, and its values; quantities are Decimals
Line = collections.namedtuple("Line", "report no row")
NUMBERS = {"quantity", "locked", "pending", "opening", "net", "closing", "price", "rate", "weight", "market_value_usd"}


class Day:
    """What is in effect on a business day."""

    def __init__(self, market, day):
        self.market, self.day = market, day
        self.before = str(datetime.date.fromisoformat(day) - datetime.timedelta(1))

    def parameter(self, name):
        """the last value that holds on the day"""
        values = [(since, value) for n, value, since in self.market.parameters if n == name and since <= self.day]
        return max(values)[1] if values else DEFAULTS[name]

    def reports(self, type, member=None, day=None):
        return [r for r in self.market.reports if r.type == type and r.state == "accepted"
                and r.day == (day or self.day) and member in (None, r.member)]

    def is_in(self, type, member, day=None):
        return bool(self.reports(type, member, day))

    def lines(self, type, table, member=None, day=None):
        for report in self.reports(type, member, day):
            for no, (t, row) in enumerate(report.records, 1):
                if t == table:
                    yield Line(report, no, {k: Decimal(v) if k in NUMBERS and v is not None else v
                                            for k, v in row.items()})

    def kind(self, code):
        m = self.market.members.get(code)
        return m.kind if m else None

    def contracts(self):
        """(platform, custodian) of the contracts valid on the day"""
        return sorted({(c.platform, c.custodian) for c in self.market.contracts
                       if c.valid_from <= self.day and (c.valid_to is None or c.valid_to >= self.day)})

    def wallets_known(self, platform):
        """has it said what its wallets hold at 23:59?  A report wholly of moments within the day says nothing of it"""
        for report in self.reports("HoldingReport", platform):
            moments = [row.get("as_of") for _, row in report.records]
            if not moments or None in moments:
                return True
        return False


def records(lines):
    """the first hundred of each submission"""
    found = collections.defaultdict(set)
    for line in lines:
        found[line.report.message_id].add(line.no)
    return {message: sorted(numbers)[:100] for message, numbers in found.items()} or None


def quantities(lines, name="quantity"):
    return add(line.row[name] for line in lines)


def by(lines, *names):
    """lines by the values of some of their columns"""
    groups = collections.defaultdict(list)
    for line in lines:
        groups[tuple(line.row[n] for n in names)].append(line)
    return groups


# --- R1: what p claims to hold at c of a = c's omnibus report for p of a -----------

def r1(d):
    tolerance = Decimal(d.parameter("R1.tolerance"))
    for p, c in d.contracts():
        if not (d.is_in("BalanceReport", p) and d.is_in("CustodyReport", c)):
            continue        # missing is never zero
        claimed = by((x for x in d.lines("BalanceReport", "balance", p) if x.row["held_at"] == c), "asset")
        kept = by((x for x in d.lines("CustodyReport", "custody_omnibus", c) if x.row["platform"] == p), "asset")
        for a in sorted(set(claimed) | set(kept)):
            mine, theirs = quantities(claimed[a]), quantities(kept[a])
            if abs(minus(mine, theirs)) > tolerance:
                yield Break("R1", "QUANTITY_DIFFERENCE", f"{p}|{c}|{a[0]}", p, c, a[0], mine, theirs, minus(mine, theirs),
                            records(claimed[a] + kept[a]))


# --- R2: all customers' balances = own customer wallets + all custodians -------------

def r2(d):
    tolerance = Decimal(d.parameter("R2.tolerance"))
    for p in sorted(d.market.members):
        if not (d.is_in("BalanceReport", p) and d.wallets_known(p)):
            continue
        if not all(d.is_in("CustodyReport", c) for x, c in d.contracts() if x == p):
            continue
        balances = by(d.lines("BalanceReport", "balance", p), "asset")
        wallets = by((x for x in d.lines("HoldingReport", "wallet", p)
                      if x.row["as_of"] is None and x.row["owner"] == "CUSTOMER"), "asset")
        kept = by((x for x in d.lines("CustodyReport", "custody_omnibus") if x.row["platform"] == p), "asset")
        for a in sorted(set(balances) | set(wallets) | set(kept)):
            mine = quantities(balances[a])
            theirs = EXACT.add(quantities(wallets[a]), quantities(kept[a]))
            if abs(minus(mine, theirs)) > tolerance:
                yield Break("R2", "TOTAL_DIFFERENCE", f"TOTAL_DIFFERENCE|{p}|{a[0]}", p, None, a[0], mine, theirs,
                            minus(mine, theirs), records(balances[a] + wallets[a] + kept[a]))


# --- R3: close(t) = close(t-1) + movements; netting's net = movements ------------------

def r3(d):
    tolerance = Decimal(d.parameter("R3.tolerance"))
    key = ("registry_no", "customer_no", "asset")
    found = []
    for p in sorted(d.market.members):
        now_in, was_in = d.is_in("BalanceReport", p), d.is_in("BalanceReport", p, d.before)
        moves_in, netting_in = d.is_in("MovementReport", p), d.is_in("NettingReport", p)
        now = by(d.lines("BalanceReport", "balance", p), *key)
        was = by(d.lines("BalanceReport", "balance", p, d.before), *key)
        moves = by((x for x in d.lines("MovementReport", "movement", p) if x.row["type"] != "LOCK"), *key)
        nets = by(d.lines("NettingReport", "netting", p), *key)
        for k in sorted(set(now) | set(was) | set(moves) | set(nets)):
            name = "|".join((p,) + k + (d.day,))
            closing, opening, moved = quantities(now[k]), quantities(was[k]), quantities(moves[k])
            if now_in and was_in and moves_in and abs(minus(closing, EXACT.add(opening, moved))) > tolerance:
                expected = EXACT.add(opening, moved)
                found.append((p, Break("R3", "ROLL_FORWARD", "ROLL_FORWARD|" + name, p, None, k[2], closing, expected,
                                       minus(closing, expected), records(now[k] + was[k] + moves[k]))))
            if not netting_in:
                continue
            opens, net, closes = (quantities(nets[k], n) for n in ("opening", "net", "closing"))
            has_net, has_moves = bool(nets[k]), bool(moves[k])
            wrong = []
            if moves_in and (has_net != has_moves or abs(minus(net, moved)) > tolerance):
                wrong.append((net, moved))
            if has_net and was_in and abs(minus(opens, opening)) > tolerance:
                wrong.append((opens, opening))
            if has_net and now_in and abs(minus(closes, closing)) > tolerance:
                wrong.append((closes, closing))
            if has_net and abs(minus(EXACT.add(opens, net), closes)) > tolerance:
                wrong.append((closes, EXACT.add(opens, net)))
            if wrong:
                reported, expected = wrong[0]
                found.append((p, Break("R3", "NETTING_DIFFERENCE", "NETTING_DIFFERENCE|" + name, p, None, k[2], reported,
                                       expected, minus(reported, expected),
                                       records(now[k] + was[k] + moves[k] + nets[k]))))
    return limited(d, found, "|" + d.day)


def limited(d, found, tail=""):
    """Of (member, break) so many of a kind and member, the first by key; one more for the rest."""
    most = int(d.parameter("break.limit"))
    groups = collections.defaultdict(list)
    for member, b in found:
        groups[b.rule, b.kind, member].append(b)
    for (rule, kind, member), breaks in groups.items():
        breaks.sort(key=lambda b: b.key)
        yield from breaks[:most]
        if breaks[most:]:
            custodian = d.kind(member) == "custodian"
            yield Break(rule, kind, f"{kind}|{member}|MORE{tail}", None if custodian else member,
                        member if custodian else None, None, None, None, None, None)


# --- R4: a missing report is a break of its own -----------------------------------------

def owed(d):
    for p, c in d.contracts():
        yield p, "BalanceReport"
        yield c, "CustodyReport"
    for type, name in (("MovementReport", "movement"), ("NettingReport", "netting"), ("HoldingReport", "holding"),
                       ("ReferenceData", "reference")):
        rule = d.parameter("R4." + name)
        if type == "ReferenceData":
            who = [m for m in d.market.members if d.kind(m) == "registry"]
        else:
            who = [p for p, _ in d.contracts()]
        for m in who:
            begun = any(r.member == m and r.type == type and r.state == "accepted" and r.day <= d.day
                        for r in d.market.reports)
            if rule == "all" or (rule == "begun" and begun):
                yield m, type


def r4(d):
    for member, type in sorted(set(owed(d))):
        if d.market.members[member].state == "closed":
            continue
        missing = not d.wallets_known(member) if type == "HoldingReport" else not d.is_in(type, member)
        if missing:
            kind = d.kind(member)
            yield Break("R4", "REPORT_MISSING", f"{type}|{member}|{d.day}", member if kind == "platform" else None,
                        member if kind == "custodian" else None, None, None, None, None, None)


# --- R5: validity ------------------------------------------------------------------------

def r5_registry(d):
    known = {no for no, since in d.market.registry.items() if since <= d.day}
    rule = d.parameter("R5.registry")
    if not (rule == "all" or (rule == "begun" and known)):
        return
    lines = collections.defaultdict(list)
    for type, table in (("BalanceReport", "balance"), ("MovementReport", "movement"), ("NettingReport", "netting"),
                        ("CustodyReport", "custody_direct")):
        for x in d.lines(type, table):
            if x.row["registry_no"] not in known:
                lines[x.report.member, x.row["registry_no"], x.row["customer_no"]].append(x)
    for k, group in lines.items():
        custodian = d.kind(k[0]) == "custodian"
        yield k[0], Break("R5", "UNKNOWN_REGISTRY_NO", "|".join(("UNKNOWN_REGISTRY_NO",) + k),
                          None if custodian else k[0], k[0] if custodian else None, None, None, None, None, records(group))


def r5_negative(d):
    lines = collections.defaultdict(list)
    for x in d.lines("BalanceReport", "balance"):
        if x.row["quantity"] < 0:
            lines[(x.report.member,) + tuple(x.row[n] for n in ("registry_no", "customer_no", "held_at", "asset"))].append(x)
    for k, group in lines.items():
        yield k[0], Break("R5", "NEGATIVE_BALANCE", "|".join(("NEGATIVE_BALANCE",) + k), k[0], None, k[4],
                          quantities(group), None, None, records(group))


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00") if text.endswith("Z") else
                                           text + ":00" if text[-3] in "+-" else text)


def one_asset(group):
    assets = {x.row["asset"] for x in group}
    return assets.pop() if len(assets) == 1 else None


def r5_outside(d):
    # Istanbul is at UTC+3 all the year round since 2016
    zone = datetime.timezone(datetime.timedelta(hours=3))
    end = datetime.datetime.combine(datetime.date.fromisoformat(d.day), datetime.time(23, 59), zone)
    begin = end - datetime.timedelta(1)
    lines = collections.defaultdict(list)
    for x in d.lines("MovementReport", "movement"):
        if not begin <= moment(x.row["occurred_at"]) < end:
            lines[x.report.member, x.row["movement_id"]].append(x)
    for (p, no), group in lines.items():
        yield p, Break("R5", "OUTSIDE_DAY", f"OUTSIDE_DAY|{p}|Mov|{no}", p, None, one_asset(group), quantities(group),
                       None, None, records(group))


def r5_duplicates(d):
    for type, table, short, key, quantity in (
            ("BalanceReport", "balance", "Bal", ("registry_no", "customer_no", "held_at", "asset"), "quantity"),
            ("MovementReport", "movement", "Mov", ("movement_id",), "quantity"),
            ("NettingReport", "netting", "Net", ("registry_no", "customer_no", "asset"), "net"),
            ("CustodyReport", "custody_omnibus", "Omn", ("platform", "asset", "wallet"), "quantity"),
            ("CustodyReport", "custody_direct", "Dir", ("registry_no", "customer_no", "asset", "wallet"), "quantity")):
        for member in sorted(d.market.members):
            for k, group in by(d.lines(type, table, member), *key).items():
                if len(group) < 2:
                    continue
                row, total = group[0].row, quantities(group, quantity)
                b = dict(zip(("platform", "custodian", "asset"), {
                    "Bal": (member, None if row.get("held_at") == "OWN" else row.get("held_at"), row.get("asset")),
                    "Mov": (member, None, one_asset(group)),
                    "Net": (member, None, row.get("asset")),
                    "Omn": (row.get("platform"), member, row.get("asset")),
                    "Dir": (None, member, row.get("asset"))}[short]))
                custody = type == "CustodyReport"
                yield member, Break("R5", "DUPLICATE_LINE", "|".join((short, member) + k), **b,
                                    platform_quantity=None if custody else total,
                                    custodian_quantity=total if custody else None, difference=None, records=records(group))


def r5_listed(d):
    rule = d.parameter("R5.listing")
    for p in sorted(d.market.members):
        notices = [r for r in d.market.reports if r.type == "ListingNotice" and r.member == p
                   and r.state == "accepted" and r.day <= d.day]
        if not (rule == "all" or (rule == "begun" and notices)):
            continue
        said = {}
        for r in sorted(notices, key=lambda r: (r.day, r.sequence, r.message_id)):
            for _, row in r.records:
                if row["valid_from"] <= d.day:
                    said[row["asset"]] = row["status"]
        balances = by(d.lines("BalanceReport", "balance", p), "asset")
        others = by(list(d.lines("MovementReport", "movement", p)) + list(d.lines("NettingReport", "netting", p)), "asset")
        for a in sorted(set(balances) | set(others)):
            if said.get(a[0]) != "LISTED":
                yield Break("R5", "NOT_LISTED", f"NOT_LISTED|{p}|{a[0]}", p, None, a[0],
                            quantities(balances[a]) if balances[a] else None, None, None, records(balances[a]))


def r5_contracts(d):
    claimed = collections.defaultdict(list)
    kept = collections.defaultdict(list)
    for x in d.lines("BalanceReport", "balance"):
        if x.row["held_at"] != "OWN":
            claimed[x.report.member, x.row["held_at"], x.row["asset"]].append(x)
    for x in d.lines("CustodyReport", "custody_omnibus"):
        kept[x.row["platform"], x.report.member, x.row["asset"]].append(x)
    for k in sorted(set(claimed) | set(kept)):
        mine, theirs = claimed.get(k), kept.get(k)
        p = quantities(mine) if mine else None
        c = quantities(theirs) if theirs else None
        if mine and d.kind(k[1]) != "custodian":
            yield Break("R5", "UNKNOWN_CUSTODIAN", "|".join(("UNKNOWN_CUSTODIAN",) + k), *k, p, None, None, records(mine))
        elif k[:2] not in d.contracts():
            yield Break("R5", "NO_CONTRACT", "|".join(("NO_CONTRACT",) + k), *k, p, c,
                        minus(p, c) if mine and theirs else None, records((mine or []) + (theirs or [])))


def r5(d):
    for part in (r5_registry, r5_negative, r5_outside, r5_duplicates):
        yield from limited(d, part(d))
    yield from r5_listed(d)
    yield from r5_contracts(d)


RULES = [r1, r2, r3, r4, r5]


def recompute(market, day, rules=RULES):
    """All breaks of a day, by rule, kind and key"""
    d = Day(market, day)
    return sorted((b for rule in rules for b in rule(d)), key=lambda b: (b.rule, b.kind, b.key))


# --- what a day cannot judge ---------------------------------------------------------------

def needed(d, before, b):
    """(type, member) of the reports without which day d says nothing of a break of the day before"""
    if b.rule == "R1":
        return {("BalanceReport", b.platform), ("CustodyReport", b.custodian)}
    if b.rule == "R2":
        return {("BalanceReport", b.platform), ("HoldingReport", b.platform)} | \
            {("CustodyReport", c) for p, c in d.contracts() if p == b.platform}
    if b.kind == "NOT_LISTED":      # its records are balances alone
        return {(type, b.platform) for type, table in (("BalanceReport", "balance"), ("MovementReport", "movement"),
                                                       ("NettingReport", "netting"))
                if any(x.row["asset"] == b.asset for x in before.lines(type, table, b.platform))}
    return {(r.type, r.member) for r in d.market.reports if r.message_id in b.records}


def goes_on(market, day, b):
    """R1, R2, R5: does the break of the day before, which the day does not find, go on unjudged?"""
    d = Day(market, day)
    return any(not (d.wallets_known(member) if type == "HoldingReport" else d.is_in(type, member))
               for type, member in needed(d, Day(market, d.before), b))

# SPDX-License-Identifier: ISC
"""R6 to R13 once more, from the Communique's words and with fractions: a second
computation for markets that nobody adds up by hand.  Knows the rows of a Market
(market.py) and nothing of the SQL."""

import calendar
import datetime
from fractions import Fraction as F

DEFAULTS = {
    "R6.limit": "0.05", "R6.intraday_limit": "0.10", "R6.intraday_custody": "closing", "R7.small_usd": "100000",
    "R7.share": "0.10", "R7.in_denominator": "no", "R8.split": "asset", "R9.limit": "0.05", "R9.full_limit": "0.10",
    "R9.full": "all", "R10.limit": "0.03", "R10.base": "platform", "R11.limit": "0.20", "R11.small_limit": "0.10",
    "R11.small_usd": "5000000000", "R11.new_months": "12", "R11.unknown": "small", "R11.cash_in_total": "no",
    "R12.breaches": "2", "R12.month": "calendar", "R12.cure_days": "30", "R13.months": "6", "rate.day": "same",
    "rate.max_age": "10"}


def date(s):
    return datetime.date.fromisoformat(s)


def months_on(d, n):
    """the same day n months on (or back), or that month's last"""
    year, month = divmod(d.year * 12 + d.month - 1 + n, 12)
    return datetime.date(year, month + 1, min(d.day, calendar.monthrange(year, month + 1)[1]))


class Missing(Exception):
    """a ratio that cannot be made"""


class Day:
    """One business day of a market, as its submissions tell it."""

    def __init__(self, market, day):
        self.m, self.day = market, day
        self.reports = [r for r in market.reports if r.state == "accepted" and r.day == day]
        self.contracts = {}
        for c in market.contracts:
            if c.valid_from <= day and (c.valid_to is None or c.valid_to >= day):
                self.contracts[c.platform, c.custodian] = self.contracts.get((c.platform, c.custodian), False) or c.full_custody
        self.platforms = sorted({p for p, _ in self.contracts} | {r.member for r in self.of("HoldingReport")})

    def parameter(self, name):
        best = ("", DEFAULTS[name])
        for n, value, valid_from in self.m.parameters:
            if n == name and best[0] <= valid_from <= self.day:
                best = (valid_from, value)
        return best[1]

    def number(self, name):
        return F(self.parameter(name))

    def of(self, type, member=None):
        return [r for r in self.reports if r.type == type and member in (None, r.member)]

    def records(self, table, member=None):
        return [row for r in self.reports if member in (None, r.member) for t, row in r.records if t == table]

    def standing(self, table, last=None, **key):
        """the newest record of that key told by the day last; None: none"""
        best = None
        for r in self.m.reports:
            if r.state != "accepted" or r.day > (last or self.day):
                continue
            for no, (t, row) in enumerate(r.records):
                if t == table and all(row[k] == v for k, v in key.items()):
                    order = (r.day, r.sequence, r.message_id, no)
                    if best is None or order > best[0]:
                        best = (order, row)
        return best

    # --- prices ---------------------------------------------------------------

    def rate(self, currency):
        if currency == "TRY":
            return F(1)
        last = date(self.day) - datetime.timedelta(self.parameter("rate.day") == "previous")
        found = self.standing("reference_rate", str(last), currency=currency)
        if found is None or (last - date(found[0][0])).days > self.number("rate.max_age"):
            raise Missing
        return F(found[1]["rate"])

    def price(self, platform, asset):
        best = None
        for r in self.of("BalanceReport", platform):
            for no, (t, row) in enumerate(r.records):
                if t == "price" and row["asset"] == asset and (best is None or (r.sequence, r.message_id, no) > best[0]):
                    best = ((r.sequence, r.message_id, no), row)
        if best is None:
            raise Missing
        return F(best[1]["price"]) * self.rate(best[1]["currency"])

    def value(self, platform, asset, quantity):
        return quantity * self.price(platform, asset) if quantity else F(0)

    # --- holdings -------------------------------------------------------------

    def moments(self, platform):
        return sorted({w["as_of"] for w in self.records("wallet", platform) if w["as_of"]})

    def own(self, platform, at):
        reports = self.of("HoldingReport", platform)
        if at is None:
            closing = [r for r in reports if not r.records or any(row["as_of"] is None for _, row in r.records)]
            if not closing:
                raise Missing
        sums = {}
        for w in self.records("wallet", platform):
            if w["as_of"] == at and w["owner"] == "CUSTOMER":
                sums[w["asset"]] = sums.get(w["asset"], 0) + F(w["quantity"])
        return sums

    def kept(self, platform, opening=False):
        """{custodian: {asset: quantity}} of those under contract"""
        at = Day(self.m, str(date(self.day) - datetime.timedelta(1))) if opening else self
        result = {}
        for p, c in self.contracts:
            if p == platform:
                if not at.of("CustodyReport", c):
                    raise Missing
                result[c] = {}
                for o in at.records("custody_omnibus", c):
                    if o["platform"] == platform:
                        result[c][o["asset"]] = result[c].get(o["asset"], 0) + F(o["quantity"])
        return result

    # --- R6, R7, R8 -----------------------------------------------------------

    def custody(self, platform, at):
        """[(rule, custodian, numerator, denominator, threshold)]"""
        opening = at is not None and self.parameter("R6.intraday_custody") == "opening"
        own, kept = self.own(platform, at), self.kept(platform, opening)
        if not self.of("BalanceReport", platform):
            raise Missing
        own_value = {a: self.value(platform, a, q) for a, q in own.items()}
        kept_value = {c: {a: self.value(platform, a, q) for a, q in k.items()} for c, k in kept.items()}
        # Every asset of which there is something needs the dollar
        small = {a: not q or own_value[a] / self.rate("USD") < self.number("R7.small_usd") for a, q in own.items()}
        limit = self.number("R6.limit" if at is None else "R6.intraday_limit")

        def ratio(part_of, at_custodians):
            big = sum((v * part_of(a) for a, v in own_value.items() if not small[a]), F(0))
            little = sum((v * part_of(a) for a, v in own_value.items() if small[a]), F(0))
            everything = big + little + at_custodians
            excess = max(F(0), little - self.number("R7.share") * everything)
            left_out = little - excess
            whole = everything if self.parameter("R7.in_denominator") == "yes" else everything - left_out
            return big + excess, whole, little, everything

        at_all = sum((v for k in kept_value.values() for v in k.values()), F(0))
        n, d, little, everything = ratio(lambda a: 1, at_all)
        rows = [("R6", None, n, d, limit), ("R7", None, little, everything, self.number("R7.share"))]
        if len(kept) < 2:
            return rows
        for c in kept:
            at_c = sum(kept_value[c].values(), F(0))

            def part(a):
                split = self.parameter("R8.split")
                of_asset = sum(k.get(a, 0) for k in kept.values())
                if split == "asset" and of_asset:
                    return kept[c].get(a, 0) / of_asset
                return at_c / at_all if split != "whole" and at_all else F(1)
            n, d, _, _ = ratio(part, at_c)
            rows.append(("R8", c, n, d, limit))
        return rows

    # --- R9 -------------------------------------------------------------------

    def hot(self, custodian):
        if not self.of("CustodyReport", custodian):
            raise Missing
        platforms = {r.member for r in self.of("BalanceReport")}
        sums = {}
        for o in self.records("custody_omnibus", custodian):
            if (o["platform"], custodian) in self.contracts:
                s = sums.setdefault((o["platform"], o["asset"]), {"HOT": F(0), "COLD": F(0)})
                s[o["wallet"]] += F(o["quantity"]) - min(F(o["pending"]), F(o["quantity"]))
        hot = everything = F(0)
        for (p, a), s in sums.items():
            hot += self.value(p, a, s["HOT"])
            everything += self.value(p, a, s["HOT"] + s["COLD"])
        for d in self.records("custody_direct", custodian):
            prices = []
            for p in platforms:
                try:
                    prices.append(self.price(p, d["asset"]))
                except Missing:
                    pass
            if F(d["quantity"]):
                if not prices:
                    raise Missing
                v = F(d["quantity"]) * sum(prices) / len(prices)
                everything += v
                hot += v if d["wallet"] == "HOT" else 0
        return hot, everything

    # --- R10, R11 ---------------------------------------------------------------

    def reserve(self, platform):
        """[(kind, asset, quantity, currency)], after own() found the closing"""
        return [(r["kind"], r["asset"], F(r["quantity"]), r["currency"])
                for r in self.records("reserve", platform) if r["as_of"] is None]

    def item_value(self, platform, kind, asset, quantity, currency):
        if not quantity:
            return F(0)
        return self.value(platform, asset, quantity) if kind == "CRYPTO" else quantity * self.rate(currency)

    def liquid(self, platform):
        parts = [self.own(platform, None)]
        if self.parameter("R10.base") == "all":
            parts += self.kept(platform).values()
        if not self.of("BalanceReport", platform):
            raise Missing
        base = F(0)
        for part in parts:
            for a, q in part.items():
                told = self.standing("reference_asset", asset=a)
                if told is None or told[1]["reserve_base"] == "true":
                    base += self.value(platform, a, q)
        total = F(0)
        for kind, a, q, currency in self.reserve(platform):
            told = (a and self.standing("reference_weight", kind=kind, asset=a)) or \
                self.standing("reference_weight", kind=kind, asset=None)
            w = F(told[1]["weight"]) if told else 1
            if w:
                total += w * self.item_value(platform, kind, a, q, currency)
        return total, base

    def composition(self, platform):
        """[(asset, value, total, threshold)]; value None: missing"""
        items = self.reserve(platform)
        assets = sorted({a for kind, a, _, _ in items if kind == "CRYPTO"})
        try:
            values = {a: sum(self.item_value(platform, *i) for i in items if i[:2] == ("CRYPTO", a)) for a in assets}
            total = sum(values.values(), F(0))
            if self.parameter("R11.cash_in_total") == "yes":
                total += sum((self.item_value(platform, *i) for i in items if i[0] != "CRYPTO"), F(0))
        except Missing:
            values, total = {}, None
        for a in assets:
            told = self.standing("reference_asset", asset=a)
            cap, listed = (told[1]["market_value_usd"], told[1]["listed_on"]) if told else (None, None)
            small = cap is not None and F(cap) < self.number("R11.small_usd") or \
                listed is not None and months_on(date(listed), int(self.number("R11.new_months"))) > date(self.day) or \
                (cap is None or listed is None) and self.parameter("R11.unknown") == "small"
            yield a, values.get(a), total, self.number("R11.small_limit" if small else "R11.limit")

    # --- the calendar -----------------------------------------------------------

    def working_days_on(self, d, n):
        while n:
            d += datetime.timedelta(1)
            told = self.standing("reference_day", day=str(d))
            n -= told[1]["kind"] == "WORKDAY" if told else d.weekday() < 5
        return d


class Recompute:
    """Days one after the other, as a gateway runs them."""

    def __init__(self, market):
        self.m = market
        self.first = {}         # (rule, parties, asset, within the day?): first day of the breach
        self.breach_days = {}   # platform: days with a breach of R6 or R8
        self.since = {}         # (platform, asset): day

    def day(self, day):
        """{(rule, platform, custodian, asset, at): (status, numerator, denominator, threshold, cure-by, occurrences)}"""
        d, today = Day(self.m, day), date(day)
        rows, standing, unknown = {}, {}, set()

        def put(rule, p, c, a, at, make, threshold, cure=None, least=False, counts=True):
            key = (rule, p, c, a, at is not None)
            try:
                n, whole = make()
            except Missing:
                rows[rule, p, c, a, at] = ("missing", None, None, threshold, None, None)
                unknown.add(key)
                return False
            breach = counts and (n < threshold * whole if least else n > threshold * whole)
            if breach:
                standing[key] = self.first.get(key, today)
            by = cure(standing[key]) if breach and cure else None
            rows[rule, p, c, a, at] = ("breach" if breach else "within", n, whole, threshold, by, None)
            return breach

        def month(first):
            return d.working_days_on(first, int(d.number("R12.cure_days")))

        broken = set()
        for p in d.platforms:
            for at in [None] + d.moments(p):
                several = sum(1 for q, _ in d.contracts if q == p) > 1
                limit = d.number("R6.limit" if at is None else "R6.intraday_limit")
                wanted = [("R6", None, limit), ("R7", None, d.number("R7.share"))] + \
                    [("R8", c, limit) for q, c in d.contracts if q == p and several]
                try:
                    made = {(rule, c): (n, whole) for rule, c, n, whole, _ in d.custody(p, at)}
                except Missing:
                    made = {}

                def get(key):
                    if key not in made:
                        raise Missing
                    return made[key]
                for rule, c, threshold in wanted:
                    if put(rule, p, c, None, at, lambda: get((rule, c)), threshold, month, counts=rule != "R7"):
                        broken.add(p)
            put("R10", p, None, None, None, lambda: d.liquid(p), d.number("R10.limit"), month, least=True)
            self.composition(d, p, put)
        for c in sorted({c for _, c in d.contracts} | {r.member for r in d.of("CustodyReport")}):
            full = [f for (_, k), f in d.contracts.items() if k == c]
            higher = bool(full) and (any if d.parameter("R9.full") == "any" else all)(full)
            put("R9", None, c, None, None, lambda: d.hot(c), d.number("R9.full_limit" if higher else "R9.limit"))
        self.repeated(d, today, broken, standing, rows, month)
        self.uncustodied(d, today, rows)
        # what cannot be judged goes on
        standing.update({k: v for k, v in self.first.items() if k in unknown})
        self.first = standing
        return rows

    @staticmethod
    def composition(d, p, put):
        try:
            d.own(p, None)
        except Missing:
            def nothing():
                raise Missing
            put("R11", p, None, None, None, nothing, d.number("R11.limit"))
            return
        for a, value, total, threshold in d.composition(p):
            def get():
                if total is None:
                    raise Missing
                return value, total
            put("R11", p, None, a, None, get, threshold, lambda first: first + datetime.timedelta(1))

    def repeated(self, d, today, broken, standing, rows, month):
        for p in broken:
            self.breach_days.setdefault(p, set()).add(today)
        begin = today.replace(day=1) if d.parameter("R12.month") == "calendar" else \
            months_on(today, -1) + datetime.timedelta(1)
        for p in d.platforms:
            n = sum(1 for x in self.breach_days.get(p, ()) if begin <= x <= today)
            most = d.number("R12.breaches")
            firsts = [v for (rule, q, _, _, _), v in standing.items() if q == p and rule in ("R6", "R8")]
            by = month(min(firsts)) if firsts else None
            custodians = [c for q, c in d.contracts if q == p] if n > most else []
            for c in [None] + custodians:
                rows["R12", p, c, None, None] = ("breach" if n > most else "within", F(n), F(1), most, by, n)

    def uncustodied(self, d, today, rows):
        since = {}
        for p in sorted(set(d.platforms) | {q for q, _ in self.since}):
            try:
                own, missing = d.own(p, None), False
            except Missing:
                own, missing = {a: 1 for q, a in self.since if q == p}, True
            for a, q in own.items():
                told = d.standing("reference_asset", asset=a)
                if not q or told is None or told[1]["custody"] != "NONE":
                    continue
                since[p, a] = self.since.get((p, a), today)
                last = months_on(since[p, a], int(d.number("R13.months")))
                kept, allowed = F((today - since[p, a]).days), F((last - since[p, a]).days)
                rows["R13", p, None, a, None] = ("missing", None, None, 1, last, None) if missing else \
                    ("breach" if today > last else "within", kept, allowed, 1, last, None)
        self.since = since

# SPDX-License-Identifier: ISC
"""What the benches share: medians of alternating runs, peak memory, one table
for people and, with BENCH_JSON=FILE, the same as JSON.  Times are figures of one
machine in one hour; what counts is the ratio to what was run in between."""

import json
import os
import statistics
import threading
import time

SMALL = os.environ.get("BENCH_SCALE") == "small"


def median(values):
    return statistics.median(values)


class Memory:
    """The greatest sum, while it runs, of the private memory (VmRSS less what is
    mapped or shared) of the processes that pids() names."""

    def __init__(self, pids):
        self.pids, self.peak, self.end = pids, 0, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()

    def watch(self):
        while not self.end.wait(0.05):
            self.peak = max(self.peak, sum(map(anonymous, self.pids())))


def anonymous(pid):
    """Bytes; 0 where the process is gone."""
    try:
        with open(f"/proc/{pid}/status") as f:
            for line in f:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def timed(what):
    """Seconds, and what it returned."""
    start = time.monotonic()
    value = what()
    return time.monotonic() - start, value


class Table:
    """Rows of what, median, ratio to the yardstick, peak memory."""

    def __init__(self, name, yardstick):
        self.name, self.yardstick, self.rows, self.notes = name, yardstick, [], []

    def row(self, what, seconds, base=None, memory=None):
        self.rows.append({"what": what, "median": round(median(seconds), 3), "runs": [round(s, 3) for s in seconds],
                          "ratio": round(median(seconds) / median(base), 2) if base else None,
                          "peakMemory": memory})

    def note(self, text):
        self.notes.append(text)

    def show(self):
        print(f"\n{self.name} (ratio: to {self.yardstick})\n")
        wide = max(len(r["what"]) for r in self.rows)
        print(f"{'what':<{wide}}  {'median':>9}  {'ratio':>6}  {'peak memory':>11}")
        for r in self.rows:
            memory = f"{r['peakMemory'] / 1048576:.0f} MiB" if r["peakMemory"] is not None else "-"
            ratio = f"{r['ratio']:.2f}" if r["ratio"] is not None else "-"
            print(f"{r['what']:<{wide}}  {r['median']:>7.3f} s  {ratio:>6}  {memory:>11}")
        for text in self.notes:
            print(text)
        if os.environ.get("BENCH_JSON"):
            with open(os.environ["BENCH_JSON"], "w") as f:
                json.dump({"bench": self.name, "yardstick": self.yardstick, "rows": self.rows, "notes": self.notes}, f, indent=2)
                f.write("\n")

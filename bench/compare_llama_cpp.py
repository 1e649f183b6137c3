#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed beside llama.cpp on the same machine, in turns, with random weights in real shapes.

usage: compare_llama_cpp.py [--slm build/slm] [--folder DIR] [-t 2] [-p 512] [-n 64] [--rounds 3] [SHAPE ...]

Needs `pip install llama-cpp-python gguf numpy` (it builds llama.cpp for this processor); without them it says so and ends. Writes a GGUF
file of each shape into the folder (2.5 GB for the 1B), lets llama.cpp quantize it to Q4_0 and Q8_0 and time it, times `slm bench` with
i4 and i8 between its runs, and prints a Markdown table of medians. llama.cpp makes tied heads of Q4_0 files Q6_K; ours are i8.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

try:
    import gguf
    import llama_cpp as peer
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing} (pip install llama-cpp-python gguf numpy)")
    sys.exit(0)

#        layers, hidden, heads, kv heads, head_dim, ffn, vocab; all tied
SHAPES = {
    "smollm2-135m": (30, 576, 9, 3, 64, 1536, 49152),
    "smollm2-360m": (32, 960, 15, 5, 64, 2560, 49152),
    "qwen2.5-0.5b": (24, 896, 14, 2, 64, 4864, 151936),
    "llama3.2-1b": (16, 2048, 32, 8, 64, 8192, 128256),
    "llama3.2-3b": (28, 3072, 24, 8, 128, 8192, 128256),
}
PAIRS = [("i4", "Q4_0", 2), ("i8", "Q8_0", 7)]


@peer.llama_log_callback
def quiet(*_):
    pass


def byte_tokens(vocab):
    """A vocabulary that the peer accepts: the byte alphabet of GPT-2, then fillers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    tokens = [chr(b) if b in printable else chr(next(others)) for b in range(256)] + ["<|bos|>", "<|eos|>"]
    return tokens + [f"zz{i}" for i in range(len(tokens), vocab)]


def write_gguf(shape, path):
    """F16 weights, N(0, 1 / fan_in). The qwen shape is written without its biases, as a llama: they cost nothing."""
    layers, hidden, heads, kv_heads, head_dim, ffn, vocab = SHAPES[shape]
    rng = np.random.default_rng(7)
    out = gguf.GGUFWriter(path, "llama")
    out.add_block_count(layers)
    out.add_context_length(8192)
    out.add_embedding_length(hidden)
    out.add_feed_forward_length(ffn)
    out.add_head_count(heads)
    out.add_head_count_kv(kv_heads)
    out.add_key_length(head_dim)
    out.add_value_length(head_dim)
    out.add_rope_dimension_count(head_dim)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_file_type(1)
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("llama-bpe")
    out.add_token_list(byte_tokens(vocab))
    out.add_token_types([1] * 256 + [3, 3] + [1] * (vocab - 258))
    out.add_token_merges(['! "', "# $"])
    out.add_bos_token_id(256)
    out.add_eos_token_id(257)

    def matrix(name, rows, cols):
        values = rng.standard_normal((rows, cols), dtype=np.float32) / np.float32(np.sqrt(cols))
        out.add_tensor(name, values.astype(np.float16))

    matrix("token_embd.weight", vocab, hidden)
    out.add_tensor("output_norm.weight", np.ones(hidden, np.float32))
    for i in range(layers):
        for name, rows, cols in (("attn_q", heads * head_dim, hidden), ("attn_k", kv_heads * head_dim, hidden),
                                 ("attn_v", kv_heads * head_dim, hidden), ("attn_output", hidden, heads * head_dim),
                                 ("ffn_gate", ffn, hidden), ("ffn_up", ffn, hidden), ("ffn_down", hidden, ffn)):
            matrix(f"blk.{i}.{name}.weight", rows, cols)
        out.add_tensor(f"blk.{i}.attn_norm.weight", np.ones(hidden, np.float32))
        out.add_tensor(f"blk.{i}.ffn_norm.weight", np.ones(hidden, np.float32))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def peer_file(folder, shape, name, number):
    path = os.path.join(folder, f"{shape}-{name}.gguf")
    if not os.path.exists(path):
        source = os.path.join(folder, f"{shape}-F16.gguf")
        if not os.path.exists(source):
            write_gguf(shape, source)
        params = peer.llama_model_quantize_default_params()
        params.ftype, params.nthread = number, os.cpu_count()
        if peer.llama_model_quantize(source.encode(), path.encode(), params):
            sys.exit(f"{source}: llama.cpp could not quantize it")
    return path


class Peer:
    """A llama.cpp context that runs one prefill and one decode of fixed lengths, as often as asked."""

    def __init__(self, path, arguments):
        self.arguments = arguments
        self.model = peer.llama_model_load_from_file(path.encode(), peer.llama_model_default_params())
        params = peer.llama_context_default_params()
        params.n_ctx = arguments.prompt + arguments.tokens + 16
        params.n_batch, params.n_ubatch = arguments.prompt, min(arguments.prompt, 512)
        params.n_threads = params.n_threads_batch = arguments.threads
        self.context = peer.llama_init_from_model(self.model, params)

    def forward(self, ids):
        tokens = (peer.llama_token * len(ids))(*ids)
        if peer.llama_decode(self.context, peer.llama_batch_get_one(tokens, len(ids))):
            sys.exit("llama.cpp could not decode")
        peer.llama_synchronize(self.context)

    def run(self):
        memory = peer.llama_get_memory(self.context)
        peer.llama_memory_clear(memory, True)
        start = time.perf_counter()
        self.forward([(7 * i + 3) % 900 for i in range(self.arguments.prompt)])
        prefill = self.arguments.prompt / (time.perf_counter() - start)
        peer.llama_memory_clear(memory, True)
        self.forward([1])
        start = time.perf_counter()
        for i in range(self.arguments.tokens):
            self.forward([(5 * i + 2) % 900])
        return prefill, self.arguments.tokens / (time.perf_counter() - start)

    def close(self):
        peer.llama_free(self.context)
        peer.llama_model_free(self.model)


def ours(arguments, shape, kind):
    command = [arguments.slm, "bench", "--shape", shape, "--type", kind, "-t", str(arguments.threads), "-p", str(arguments.prompt),
               "-n", str(arguments.tokens), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def compare(arguments, shape, kind, name, number):
    path = peer_file(arguments.folder, shape, name, number)
    other = Peer(path, arguments)
    other.run()
    theirs, mine = [], []
    for _ in range(arguments.rounds):
        mine.append(ours(arguments, shape, kind))
        theirs.append(other.run())
    other.close()
    median = lambda key: statistics.median(run[key] for run in mine)
    prefill, decode = (statistics.median(column) for column in zip(*theirs))
    share = [run["decode_share_of_bandwidth"] for run in mine]
    print(f"| {shape} | {kind} / {name} | {mine[0]['file_bytes'] / 1e6:.0f} / {os.path.getsize(path) / 1e6:.0f} | "
          f"{median('prefill_tokens_per_second'):.0f} / {prefill:.0f} | {median('prefill_tokens_per_second') / prefill:.2f} | "
          f"{median('prefill_share_of_peak') * 100:.0f} % | {median('decode_tokens_per_second'):.1f} / {decode:.1f} | "
          f"{median('decode_tokens_per_second') / decode:.2f} | "
          f"{'-' if None in share else format(statistics.median(share) * 100, '.0f') + ' %'} |", flush=True)
    return mine[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", default=["smollm2-135m", "qwen2.5-0.5b", "llama3.2-1b"])
    parser.add_argument("--slm", default="build/slm")
    parser.add_argument("--folder", default="build/peer")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.makedirs(arguments.folder, exist_ok=True)
    peer.llama_backend_init()
    peer.llama_log_set(quiet, None)
    print("| shape | types | MB, head included | prefill tokens/s | ratio | ours of int8 peak | decode tokens/s | ratio | "
          "ours of bandwidth |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for shape in arguments.shapes:
        for kind, name, number in PAIRS:
            run = compare(arguments, shape, kind, name, number)
    print(f"\n{run['cpu']}, {run['isa']}, {run['threads']} threads ({run['thread_backend']}), llama-cpp-python {peer.__version__}")


main()

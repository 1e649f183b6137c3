#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed beside llama.cpp on the same machine, in turns, with random weights in real shapes.

usage: compare_llama_cpp.py [--slm build/slm] [--folder DIR] [-t 2] [-p 512] [-n 64] [--rounds 3] [--types i4 i8] [--step STEP] [SHAPE ...]

Needs `pip install llama-cpp-python gguf numpy` (it builds llama.cpp for this processor); without them it says so and ends. Four steps, of
which --step names one, for machines that are quiet for a minute only:

  files    writes a GGUF file of each shape into the folder (2.5 GB for the 1B), lets llama.cpp quantize it to Q4_0 and Q8_0, removes it
  measure  times both, `slm bench` (i4, i8) before each run of llama.cpp; a row for each turn goes to bench/results/CPU-llama-cpp.csv, but
           for turns that other processes took part in: with more threads to run than processors, the scheduler would be measured
  remove   removes the quantized files
  table    prints medians of the turns of a day as a Markdown table

llama.cpp makes tied heads of Q4_0 files Q6_K; ours are i8. Its own sampling is left out of its times, ours is in ours.
"""
import argparse
import csv
import datetime
import json
import os
import re
import resource
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
PAIRS = {"i4": ("Q4_0", 2), "i8": ("Q8_0", 7)} # and the number of the file type in llama.h
COLUMNS = ["date", "cpu", "threads", "isa", "shape", "type", "peer_type", "peer_head", "prompt", "tokens", "prefill", "peer_prefill",
           "prefill_share", "decode", "peer_decode", "decode_share", "bandwidth", "file_bytes", "peer_file_bytes", "peer_version", "others"]
OTHERS_LIMIT = 0.05 # of the processors' time


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


def peer_path(arguments, shape, name):
    return os.path.join(arguments.folder, f"{shape}-{name}.gguf")


def make_files(arguments):
    for shape in arguments.shapes:
        source = peer_path(arguments, shape, "F16")
        names = [pair for pair in (PAIRS[kind] for kind in arguments.types) if not os.path.exists(peer_path(arguments, shape, pair[0]))]
        if names:
            write_gguf(shape, source)
        for name, number in names:
            params = peer.llama_model_quantize_default_params()
            params.ftype, params.nthread = number, arguments.threads
            if peer.llama_model_quantize(source.encode(), peer_path(arguments, shape, name).encode(), params):
                sys.exit(f"{source}: llama.cpp could not quantize it")
        if names:
            os.remove(source)


def remove_files(arguments):
    for shape in arguments.shapes:
        for kind in arguments.types:
            os.remove(peer_path(arguments, shape, PAIRS[kind][0]))


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
               "-n", str(arguments.tokens), "--repeat", str(arguments.repeat), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def processor_times():
    """Seconds so far: of all processes and of the host's other machines on our processors; of this process and its children."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, interrupts, soft, stolen = (int(word) for word in file.readline().split()[1:9])
    mine = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK"), mine


def measure(arguments, shape, kind):
    """Turns of one pair, each a row of the file of results."""
    name = PAIRS[kind][0]
    path = peer_path(arguments, shape, name)
    head = next(tensor for tensor in gguf.GGUFReader(path).tensors if tensor.name == "token_embd.weight").tensor_type.name
    other = Peer(path, arguments)
    other.run()
    for _ in range(arguments.rounds):
        start, (all_before, own_before) = time.perf_counter(), processor_times()
        mine = ours(arguments, shape, kind)
        prefill, decode = other.run()
        all_after, own_after = processor_times()
        others = (all_after - all_before - own_after + own_before) / (time.perf_counter() - start) / os.cpu_count()
        rounded = lambda value: "" if value is None else f"{value:.4g}"
        row = [datetime.date.today(), mine["cpu"], mine["threads"], mine["isa"], shape, kind, name, head,
               arguments.prompt, arguments.tokens,
               rounded(mine["prefill_tokens_per_second"]), rounded(prefill), rounded(mine["prefill_share_of_peak"]),
               rounded(mine["decode_tokens_per_second"]), rounded(decode), rounded(mine["decode_share_of_bandwidth"]),
               rounded(mine["read_bandwidth_bytes_per_second"]), mine["file_bytes"], os.path.getsize(path), peer.__version__,
               f"{max(others, 0):.3f}"]
        left_out = others > OTHERS_LIMIT
        print(f"{shape} {kind}: prefill {row[10]} / {row[11]}, decode {row[13]} / {row[14]}, others {others * 100:.0f} %"
              f"{', left out' if left_out else ''}", flush=True)
        is_new = not os.path.exists(arguments.results)
        if not left_out:
            with open(arguments.results, "a", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([COLUMNS, row] if is_new else [row])
    other.close()


def print_table(arguments):
    """Medians; a ratio is the median of the turns' ratios, so that a busy neighbour hits both sides of it."""
    with open(arguments.results, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["date"] == arguments.date and row["prompt"] == str(arguments.prompt)
                and row["tokens"] == str(arguments.tokens) and row["threads"] == str(arguments.threads)]
    print("| shape | types, heads | MB, head included | turns | prefill tokens/s | ratio | ours of int8 peak | decode tokens/s | ratio | "
          "ours of bandwidth |\n|---|---|---|---|---|---|---|---|---|---|")
    for shape, kind in dict.fromkeys((row["shape"], row["type"]) for row in rows):
        turns = [row for row in rows if (row["shape"], row["type"]) == (shape, kind)]
        median = lambda key: statistics.median(float(row[key]) for row in turns)
        share = lambda key: "-" if any(row[key] == "" for row in turns) else f"{median(key) * 100:.0f} %"
        ratio = lambda key: statistics.median(float(row[key]) / float(row["peer_" + key]) for row in turns)
        last = turns[-1]
        print(f"| {shape} | {kind} / {last['peer_type']}, i8 / {last['peer_head']} | {int(last['file_bytes']) / 1e6:.0f} / "
              f"{int(last['peer_file_bytes']) / 1e6:.0f} | {len(turns)} | {median('prefill'):.0f} / {median('peer_prefill'):.0f} | "
              f"{ratio('prefill'):.2f} | {share('prefill_share')} | {median('decode'):.1f} / {median('peer_decode'):.1f} | "
              f"{ratio('decode'):.2f} | {share('decode_share')} |")
    if rows:
        row = rows[-1]
        print(f"\n{row['cpu']}, {row['isa']}, {row['threads']} threads, {row['date']}, llama-cpp-python {row['peer_version']}: "
              f"{peer.llama_print_system_info().decode().strip(' |')}")


def results_path():
    """bench/results/CPU-llama-cpp.csv, the CPU named as bench/table.sh does."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        text = file.read()
    field = lambda name: (re.search(rf"^{name}\s*: *(.*)$", text, re.MULTILINE) or ["", "unknown"])[1]
    name = f"{field('model name')} family {field('cpu family')} model {field('model')}"
    return "bench/results/" + re.sub("[^a-z0-9-]", "", name.lower().replace(" ", "-")) + "-llama-cpp.csv"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", default=["smollm2-135m", "qwen2.5-0.5b", "llama3.2-1b"])
    parser.add_argument("--types", nargs="+", choices=PAIRS, default=list(PAIRS))
    parser.add_argument("--step", choices=["files", "measure", "remove", "table"], action="append")
    parser.add_argument("--slm", default="build/slm")
    parser.add_argument("--folder", default="build/peer")
    parser.add_argument("--results", default=None)
    parser.add_argument("--date", default=str(datetime.date.today()), help="of the table")
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=1, help="of slm bench in each turn, besides one to warm up")
    arguments = parser.parse_args()
    arguments.results = arguments.results or results_path()
    steps = arguments.step or ["files", "measure", "remove", "table"]
    os.makedirs(arguments.folder, exist_ok=True)
    peer.llama_backend_init()
    peer.llama_log_set(quiet, None)
    if "files" in steps:
        make_files(arguments)
    if "measure" in steps:
        for shape in arguments.shapes:
            for kind in arguments.types:
                measure(arguments, shape, kind)
    if "remove" in steps:
        remove_files(arguments)
    if "table" in steps:
        print_table(arguments)


main()

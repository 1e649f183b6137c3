#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Schemas checked and masks timed by libslm, LLGuidance and XGrammar (optional: pip install llguidance xgrammar), one thread each.

    python3 bench/compare_grammar.py FILE.jsonl --tokenizer tokenizer.json [--slm build/slm] [--engines slm,llguidance,xgrammar]
                                     [--seconds 20] [--rounds 1] [--every 1] [--keywords]

FILE is MaskBench, {"name","schema","tests":[{"valid","data"}]} a line, or the JSON Schema test suite,
{"file","description","schema","tests"}.
Every instance becomes compact text with its keys in their own order; its tokens are fed one by one, the mask taken before each. A valid
instance that is refused is a validation error, an invalid one that is accepted an invalidation error. A schema passes when it compiles and
has neither. Times are those of a caller: the Python bindings' calls included, for libslm those of its C interface.

Each engine is a process of its own that reads and writes lines as `slm grammar --jsonl --times` does, so that one that crashes or takes
more than --seconds for a line is counted and started again. The engines take turns, schema by schema. With --rounds each does the same
work several times, compiled anew, and of every compilation and every mask the shortest time counts: what other programs of the machine took
is left out, for all alike; what takes over a second is done once. Exit 77 when no peer is installed.
"""
import argparse
import importlib.util
import json
import os
import select
import subprocess
import sys
import time

PEERS = {"llguidance": ("llguidance", "transformers"), "xgrammar": ("xgrammar", "transformers")}


# ---- Peers, each in a process of its own

class LLGuidance:
    def __init__(self, tokenizer):
        import llguidance.numpy
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer
        self.matcher_class, self.fill = LLMatcher, llguidance.numpy.fill_next_token_bitmask
        self.tokenizer = from_tokenizer(tokenizer, slices=None)
        self.bitmask = llguidance.numpy.allocate_token_bitmask(1, self.tokenizer.vocab_size)

    def compile(self, schema):
        grammar = self.matcher_class.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
        self.matcher = self.matcher_class(self.tokenizer, grammar, log_level=0)
        if self.matcher.is_error():
            raise ValueError(self.matcher.get_error())

    def restart(self):
        self.matcher.reset()

    def mask(self):
        self.fill(self.matcher, self.bitmask)
        return self.bitmask[0]

    def accept(self, token):
        return self.matcher.consume_token(token)

    def complete(self):
        return self.matcher.is_accepting()


class XGrammar:
    def __init__(self, tokenizer):
        import torch
        import xgrammar
        torch.set_num_threads(1)
        self.xgrammar = xgrammar
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer)
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.bitmask = xgrammar.allocate_token_bitmask(1, info.vocab_size)
        self.row = self.bitmask.numpy()[0]
        self.end = info.stop_token_ids[0]

    def compile(self, schema):
        grammar = self.compiler.compile_json_schema(schema, any_whitespace=False, separators=(",", ":"), strict_mode=False)
        self.matcher = self.xgrammar.GrammarMatcher(grammar)

    def restart(self):
        self.matcher.reset()

    def mask(self):
        self.matcher.fill_next_token_bitmask(self.bitmask)
        return self.row

    def accept(self, token):
        return self.matcher.accept_token(token)

    def complete(self):
        return self.matcher.accept_token(self.end)


def compact(data):
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def feed(engine, ids, times):
    engine.restart()
    for token in ids:
        start = time.perf_counter()
        row = engine.mask()
        times.append((time.perf_counter() - start) * 1e6)
        if not (int(row[token >> 5]) >> (token & 31)) & 1 or not engine.accept(token):
            return False
    return bool(engine.complete())


def serve(name, path):
    from transformers import PreTrainedTokenizerFast
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=path, eos_token="<|end_of_text|>")
    engine = {"llguidance": LLGuidance, "xgrammar": XGrammar}[name](tokenizer)
    for line in sys.stdin:
        row = json.loads(line)
        texts = [tokenizer.encode(compact(test["data"]), add_special_tokens=False) for test in row["tests"]]
        schema = json.dumps(row["schema"])
        result = {"compile": "ok", "message": "", "results": [], "mask_us": []}
        start = time.perf_counter()
        try:
            engine.compile(schema)
        except Exception as error:
            result["compile"], result["message"] = "error", str(error)
        result["compile_us"] = (time.perf_counter() - start) * 1e6
        if result["compile"] == "ok":
            result["results"] = [feed(engine, ids, result["mask_us"]) for ids in texts]
        print(json.dumps(result), flush=True)


# ---- The run

class Engine:
    def __init__(self, name, arguments):
        self.name, self.process, self.counts, self.files = name, None, {}, {}
        self.times = {"mask": [], "compile": [], "first": []}
        own = [sys.executable, __file__, "--serve", name, arguments.file, "--tokenizer", arguments.tokenizer]
        slm = [arguments.slm, "grammar", "--tokenizer", arguments.tokenizer, "--jsonl", "--times"]
        self.command = slm if name == "slm" else own

    def start(self):
        environment = dict(os.environ, OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
                                        stderr=None if self.name == "slm" else subprocess.DEVNULL)
        if self.ask({"name": "", "schema": True, "tests": []}, 60) is None:  # the tokenizer is read
            sys.exit("compare_grammar.py: %s does not start" % self.name)

    def ask(self, row, seconds):
        """The line that answers `row`, or None: crashed, or too slow."""
        try:
            self.process.stdin.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
            self.process.stdin.flush()
            ready = select.select([self.process.stdout], [], [], seconds)[0]
            line = self.process.stdout.readline() if ready else b""
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            self.stop()
            return None
        return json.loads(line)

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def count(self, what, file):
        self.counts[what] = self.counts.get(what, 0) + 1
        self.files.setdefault(file, {}).setdefault(what, 0)
        self.files[file][what] += 1

    def take(self, row, seconds, rounds):
        if self.process is None:
            self.start()
        start, file = time.perf_counter(), row["file"]
        result = self.ask(row, seconds)
        for _ in range(1, rounds if time.perf_counter() - start < 1 else 1):
            again = self.ask(row, seconds) if result is not None else None
            if again is None:
                result = None
                break
            result["compile_us"] = min(result["compile_us"], again["compile_us"])
            result["mask_us"] = list(map(min, result["mask_us"], again["mask_us"]))
        if result is None:
            self.count("lost", file)
            return
        if result["compile"] != "ok":
            self.count("compile", file)
            return
        self.times["compile"].append(result["compile_us"])
        self.times["mask"] += result["mask_us"]
        if result["mask_us"]:
            self.times["first"].append(result["compile_us"] + result["mask_us"][0])
        valid = [test["valid"] for test in row["tests"]]
        refused = sum(v and not r for v, r in zip(valid, result["results"]))
        accepted = sum(r and not v for v, r in zip(valid, result["results"]))
        for what, wrong in (("validation", refused), ("invalidation", accepted)):
            if wrong:
                self.count(what, file)
        self.wrong_acceptances = getattr(self, "wrong_acceptances", 0) + accepted
        if not refused and not accepted:
            self.count("pass", file)


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else 0.0


def print_table(engines, total):
    rows = [("schemas passing, of %d" % total, lambda e: e.counts.get("pass", 0))]
    for what, words in (("compile", "compile errors"), ("validation", "schemas with a valid instance refused"),
                        ("invalidation", "schemas with an invalid instance accepted"), ("lost", "crashes and time-outs")):
        rows.append((words, lambda e, what=what: e.counts.get(what, 0)))
    rows.append(("invalid instances accepted", lambda e: getattr(e, "wrong_acceptances", 0)))
    for key, words in (("mask", "mask"), ("compile", "compiling"), ("first", "time to first mask")):
        rows.append(("%s, us: average / p50 / p99 / most" % words, lambda e, key=key: "%.1f / %.1f / %.0f / %.0f" % (
            sum(e.times[key]) / max(1, len(e.times[key])), quantile(e.times[key], 0.5), quantile(e.times[key], 0.99),
            max(e.times[key], default=0))))
    rows.append(("masks timed", lambda e: len(e.times["mask"])))
    print("| | %s |\n|---|%s" % (" | ".join(e.name for e in engines), "---|" * len(engines)))
    for words, value in rows:
        print("| %s | %s |" % (words, " | ".join(str(value(e)) for e in engines)))


def print_keywords(engines, files):
    """Groups by file of the suite, one file for each keyword."""
    print("\n| keyword | groups | %s |\n|---|---|%s" % (" | ".join(
        "%s: passing, compile errors, refused, accepted wrongly" % e.name for e in engines), "---|" * len(engines)))
    for file in sorted(files):
        cells = [", ".join(str(e.files.get(file, {}).get(what, 0)) for what in ("pass", "compile", "validation", "invalidation"))
                 for e in engines]
        print("| %s | %d | %s |" % (file.removesuffix(".json"), files[file], " | ".join(cells)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--slm", default="build/slm")
    parser.add_argument("--engines", default="slm,llguidance,xgrammar")
    parser.add_argument("--seconds", type=float, default=20, help="for one schema and its tests")
    parser.add_argument("--rounds", type=int, default=1, help="the shortest times of so many")
    parser.add_argument("--every", type=int, default=1, help="only every so many lines")
    parser.add_argument("--keywords", action="store_true", help="a row for each file of the test suite too")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        return serve(arguments.serve, arguments.tokenizer)
    names = []
    for name in arguments.engines.split(","):
        missing = [package for package in PEERS.get(name, ()) if importlib.util.find_spec(package) is None]
        if missing:
            print("%s is left out: the Python package '%s' is not installed" % (name, missing[0]), file=sys.stderr)
        else:
            names.append(name)
    if names == ["slm"] and arguments.engines != "slm":
        return 77
    engines, total, files = [Engine(name, arguments) for name in names], 0, {}
    for line in list(open(arguments.file, encoding="utf-8"))[::arguments.every]:
        row = json.loads(line)
        row = {"name": row.get("name", ""), "file": row.get("file", ""), "schema": row["schema"], "tests": row["tests"]}
        total += 1
        files[row["file"]] = files.get(row["file"], 0) + 1
        for engine in engines:
            engine.take(row, arguments.seconds, arguments.rounds)
    for engine in engines:
        engine.stop()
    print_table(engines, total)
    if arguments.keywords:
        print_keywords(engines, files)
    return 0


if __name__ == "__main__":
    sys.exit(main())

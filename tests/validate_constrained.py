# SPDX-License-Identifier: MIT
"""Answers under schemas, checked by an independent validator (PyPI jsonschema).

    python tests/validate_constrained.py build                                   a few hundred answers, seconds
    python tests/validate_constrained.py build --samples 10000                   of the demonstration model, temperature 1.5
    python tests/validate_constrained.py build --schemas maskbench.jsonl --tokenizer FOLDER --count 200
                                         of a model with random weights and the tokenizer in FOLDER, several budgets a schema

`build` holds slm and libslm.so. Every answer has to be valid; where the budget is small it is complete all the same, or refused.
"""
import argparse
import collections
import decimal
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema is not installed")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "examples", "python"))
import slm  # noqa: E402

LIMIT = 37  # SLM_E_LIMIT
PROMPTS = ("I want my money back for KX-7719. My lawyer will contact you.", "hello", "Where is my parcel 48213?",
           "Bitte st\u00f6rnieren Sie \U0001f600 77120!", "")
SCHEMAS = (
    {"type": "object", "additionalProperties": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
    {"type": "object", "patternProperties": {"^x[0-9]+$": {"type": "number"}}, "additionalProperties": False, "minProperties": 1},
    {"type": "array", "items": {"enum": ["\u00e9\n", 1, None, {"a": []}]}, "minItems": 2, "maxItems": 5},
    {"type": "object", "properties": {"a\u00e9": {"type": "number", "exclusiveMinimum": 0}, "b\"\\": {"type": "string", "maxLength": 9}},
     "required": ["b\"\\"], "dependentRequired": {"a\u00e9": ["c"]}},
    {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {
        "value": {"type": "integer", "multipleOf": 3}, "kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
        "required": ["value"], "additionalProperties": False}}},
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "pattern": "^(\u00e9|\U0001f600)+$"}, {"type": "null"}]},
    {"type": "object", "minProperties": 3, "maxProperties": 4, "additionalProperties": False,
     "properties": {name: {"type": "boolean"} for name in "abcdef"}},
    {},
)


def exact(text):
    """A number as it is: integers as int, others as Decimal, so that bounds and multipleOf are exact."""
    value = decimal.Decimal(text)
    return int(value) if value == value.to_integral_value() else value


def parse(text):
    return json.loads(text, parse_float=exact)


def is_readable(text):
    """No exponent by which a number, unless it has hundreds of digits, becomes infinite in a program's doubles."""
    numbers = []
    json.loads(text, parse_float=lambda number: numbers.append(number))
    return all("e" not in number.lower() or len(number) > 200 or abs(float(number)) != float("inf") for number in numbers)


def validator_of(schema):
    schema = parse(json.dumps(schema))
    return jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)(schema)


class Tally:
    def __init__(self):
        self.counts = collections.Counter()

    def check(self, name, validator, answer):
        try:
            validator.validate(parse(answer))
            good = is_readable(answer)
            why = "a number beyond the range of doubles"
        except (ValueError, jsonschema.ValidationError) as error:
            good, why = False, str(error).splitlines()[0]
        self.counts["valid" if good else "INVALID"] += 1
        if not good:
            print(f"not ok {name}: {why}: {answer[:300]}")

    def sample(self, name, model, grammar, validator, tokens, seed, temperature):
        name = f"{name}, seed {seed}, {tokens} tokens"
        pieces = []
        with model.session(context=tokens + 128, grammar=grammar, jump=seed % 2 == 0, seed=seed, temperature=temperature,
                           grammar_bytes=2**23) as session:
            try:
                session.generate(PROMPTS[seed % len(PROMPTS)], max_tokens=tokens, on_text=lambda piece: pieces.append(piece))
            except slm.Error as error:
                refused = error.status == LIMIT and "does not fit" in str(error) and not pieces
                self.counts["refused" if refused else "FAILED"] += 1
                if not refused:
                    print(f"not ok {name}: {error}: {''.join(pieces)[-300:]}")
                return
            self.counts["used up the budget" if session.last["new_tokens"] == tokens else "ended before"] += 1
        self.check(name, validator, "".join(pieces))

    def finish(self, title, seconds):
        bad = [key for key in self.counts if key.isupper()]
        print(f"{'not ok' if bad else 'ok'} {title}: {dict(self.counts)}, {seconds:.0f} s")
        return not bad


def demonstration(folder, samples):
    path = os.path.join(HERE, "..", "examples", "demo")
    schema = json.load(open(os.path.join(path, "schema.json"), encoding="utf-8"))
    validator, tally, start = validator_of(schema), Tally(), time.time()
    with slm.Model(os.path.join(path, "triage-i8.slm"), slm.Engine(threads=1)) as model:
        with slm.Grammar(model, json.dumps(schema)) as grammar:
            for seed in range(samples):
                tally.sample("demonstration", model, grammar, validator, 20 + seed % 20 if seed % 4 == 0 else 100, seed, 1.5)
        good = tally.finish(f"{samples} answers of the demonstration model at temperature 1.5", time.time() - start)
        tally, start = Tally(), time.time()
        for number, schema in enumerate(SCHEMAS):
            with slm.Grammar(model, json.dumps(schema)) as grammar:
                for seed in range(max(10, samples // 20)):
                    tally.sample(f"schema {number}", model, grammar, validator_of(schema), (4, 12, 30, 80)[seed % 4], seed, 20)
        return tally.finish(f"{len(SCHEMAS)} schemas, at temperature 20", time.time() - start) and good


def random_checkpoint(folder, tokenizer):
    """A checkpoint of two small layers whose weights are +-2^-5 or so, by chance."""
    vocab = max(json.load(open(os.path.join(tokenizer, "tokenizer.json"), encoding="utf-8"))["model"]["vocab"].values()) + 1
    vocab, hidden, inner, layers = vocab + 512, 64, 128, 2
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": hidden, "intermediate_size": inner,
              "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": vocab,
              "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 2048, "tie_word_embeddings": True,
              "hidden_act": "silu", "torch_dtype": "bfloat16", "eos_token_id": vocab - 1}
    shapes = {"model.embed_tokens.weight": (vocab, hidden), "model.norm.weight": (hidden,)}
    for i in range(layers):
        part = f"model.layers.{i}."
        shapes |= {part + "input_layernorm.weight": (hidden,), part + "post_attention_layernorm.weight": (hidden,),
                   part + "self_attn.q_proj.weight": (64, hidden), part + "self_attn.k_proj.weight": (32, hidden),
                   part + "self_attn.v_proj.weight": (32, hidden), part + "self_attn.o_proj.weight": (hidden, 64),
                   part + "mlp.gate_proj.weight": (inner, hidden), part + "mlp.up_proj.weight": (inner, hidden),
                   part + "mlp.down_proj.weight": (hidden, inner)}
    header, data, chance = {}, bytearray(), random.Random(1)
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        weights = bytearray(chance.randbytes(2 * count))
        weights[1::2] = bytes(weights[1::2]).translate(bytes(0x3D | byte & 0x80 for byte in range(256)))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [len(data), len(data) + 2 * count]}
        data += weights
    text = json.dumps(header).encode()
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
    json.dump(config, open(os.path.join(folder, "config.json"), "w", encoding="utf-8"))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if os.path.exists(os.path.join(tokenizer, name)):
            os.symlink(os.path.abspath(os.path.join(tokenizer, name)), os.path.join(folder, name))


def collection(build, path, tokenizer, count):
    """Schemas spread over the whole file; each with a budget that is ample, one that is not, and a small one."""
    lines = open(path, encoding="utf-8").read().splitlines()
    tally, start, used, unsupported = Tally(), time.time(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        random_checkpoint(folder, tokenizer)
        subprocess.run([os.path.join(build, "slm"), "convert", folder, "-o", os.path.join(folder, "random.slm")], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with slm.Model(os.path.join(folder, "random.slm"), slm.Engine(threads=1)) as model:
            for number in range(len(lines)):
                case = json.loads(lines[number * 997 % len(lines)])
                if used == count:
                    break
                try:
                    grammar = slm.Grammar(model, json.dumps(case["schema"]))
                except slm.Error:
                    unsupported += 1
                    continue
                with grammar:
                    validator = validator_of(case["schema"])
                    for seed, tokens in ((number, 300), (number + 1, 40), (number + 2, 12)):
                        tally.sample(case["name"], model, grammar, validator, tokens, seed, 1.5)
                used += 1
    return tally.finish(f"{used} schemas with random weights ({unsupported} not supported)", time.time() - start)


def main():
    decimal.getcontext().prec = 4000
    parser = argparse.ArgumentParser(description="answers under schemas, checked by jsonschema")
    parser.add_argument("build")
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--schemas")
    parser.add_argument("--tokenizer")
    parser.add_argument("--count", type=int, default=200)
    arguments = parser.parse_args()
    slm.load(os.path.join(os.path.abspath(arguments.build), "libslm.so"))
    if arguments.schemas:
        good = collection(arguments.build, arguments.schemas, arguments.tokenizer, arguments.count)
    else:
        good = demonstration(arguments.build, arguments.samples)
    sys.exit(0 if good else 1)


main()

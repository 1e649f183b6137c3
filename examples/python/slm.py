# SPDX-License-Identifier: MIT
"""libslm for Python: one file, ctypes only, no C glue.

    import slm
    with slm.Model("model.slm") as model, model.session() as session:
        print(session.generate("Where is my parcel 48213?"))

The library is looked for at the path given to `load`, in the environment variable SLM_LIBRARY, and where the system's
loader looks. Every failed call raises slm.Error with the status number and the library's own sentence.
"""
import ctypes
import ctypes.util
import json
import os
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_int64, c_uint32, c_uint64, c_void_p

NUL_TERMINATED = 2**64 - 1
BUFFER_TOO_SMALL = 12
TOKENIZE_ADD_SPECIAL, TOKENIZE_PLAIN, TOKENIZE_STRICT = 1, 2, 4
DETOKENIZE_SKIP_SPECIAL = 1
CHAT_STRICT = 1
GENERATE_RAW = 1
STOPS = ("none", "eos", "length", "stop", "context", "time", "callback", "cancelled", "grammar")
IGNORE_EOS, JUMP = 1, 4
GRAMMARS = {"schema": 1, "regex": 2, "gbnf": 3}
KV = {"default": 0, "f32": 1, "f16": 2}

TEXT_FN = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_uint64)


class Error(Exception):
    """A call failed. `status` is the number of the SLM_E_... status."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _Sized(ctypes.Structure):
    """Structs that begin with their own size."""

    def __init__(self, **values):
        super().__init__(**values)
        self.struct_size = ctypes.sizeof(self)


def _struct(name, *fields):
    return type(name, (_Sized,), {"_fields_": [("struct_size", c_uint32), *fields]})


_error = _struct("slm_error", ("status", c_int32), ("message", ctypes.c_char * 504))
_engine_options = _struct(
    "slm_engine_options", ("threads", c_uint32), ("isa", c_int32), ("reserved", c_int32), ("allocate", c_void_p), ("release", c_void_p),
    ("memory_user", c_void_p), ("log", c_void_p), ("log_user", c_void_p), ("parallel_for", c_void_p), ("parallel_user", c_void_p))
_model_info = _struct(
    "slm_model_info", ("layers", c_uint32), ("hidden_size", c_uint32), ("vocab_size", c_uint32), ("max_context", c_uint32),
    ("heads", c_uint32), ("kv_heads", c_uint32), ("head_dim", c_uint32), ("body_type", c_int32), ("head_type", c_int32), ("tied", c_int32),
    ("has_tokenizer", c_int32), ("has_chat_template", c_int32), ("bos_token", c_int32), ("eos_count", c_uint32),
    ("eos_tokens", c_int32 * 16), ("token_count", c_uint32), ("parameters", c_uint64), ("file_bytes", c_uint64),
    ("bytes_per_token", c_uint64), ("body_ops_per_token", c_uint64), ("default_temperature", c_float), ("default_top_p", c_float),
    ("default_top_k", c_uint32), ("default_repetition_penalty", c_float))
_sampling = _struct(
    "slm_sampling", ("temperature", c_float), ("top_k", c_uint32), ("top_p", c_float), ("min_p", c_float), ("repetition_penalty", c_float),
    ("frequency_penalty", c_float), ("presence_penalty", c_float), ("penalty_window", c_uint32), ("reserved", c_uint32), ("seed", c_uint64),
    ("bias", c_void_p), ("bias_count", c_uint64))
_session_options = _struct(
    "slm_session_options", ("flags", c_uint32), ("context", c_uint32), ("max_tokens", c_uint32), ("kv_type", c_int32), ("batch", c_uint32),
    ("sampling", c_void_p), ("stop", c_void_p), ("stop_count", c_uint64), ("adapter_rank", c_uint32), ("top_logprobs", c_uint32),
    ("speculate", c_uint32), ("reserved", c_uint32), ("grammar_bytes", c_uint64))
_token = _struct("slm_token", ("token", c_int32), ("logprob", c_float), ("stop", c_int32), ("text", c_void_p), ("text_length", c_uint64))
_chat_options = _struct(
    "slm_chat_options", ("flags", c_uint32), ("template_text", c_char_p), ("template_length", c_uint64), ("now", c_int64))
_generate_options = _struct(
    "slm_generate_options", ("flags", c_uint32), ("max_tokens", c_uint32), ("max_milliseconds", c_uint32), ("on_text", TEXT_FN),
    ("user", c_void_p))
_generate_result = _struct(
    "slm_generate_result", ("stop", c_int32), ("prompt_tokens", c_uint32), ("new_tokens", c_uint32), ("prefill_seconds", c_double),
    ("decode_seconds", c_double), ("mean_logprob", c_double))


class _String(ctypes.Structure):
    _fields_ = [("text", c_char_p), ("length", c_uint64)]


_PROTOTYPES = {
    "slm_engine_create": [c_void_p, POINTER(c_void_p), POINTER(_error)],
    "slm_engine_destroy": [c_void_p],
    "slm_model_open_file": [c_void_p, c_char_p, c_uint64, c_void_p, POINTER(c_void_p), POINTER(_error)],
    "slm_model_open_memory": [c_void_p, c_void_p, c_uint64, c_void_p, POINTER(c_void_p), POINTER(_error)],
    "slm_model_close": [c_void_p],
    "slm_model_get_info": [c_void_p, POINTER(_model_info), POINTER(_error)],
    "slm_tokenize": [c_void_p, c_char_p, c_uint64, c_uint32, c_void_p, c_uint64, POINTER(c_uint64), POINTER(_error)],
    "slm_detokenize": [c_void_p, c_void_p, c_uint64, c_uint32, c_void_p, c_uint64, POINTER(c_uint64), POINTER(_error)],
    "slm_chat_render": [c_void_p, c_void_p, c_char_p, c_uint64, c_void_p, c_void_p, c_uint64, POINTER(c_uint64), POINTER(_error)],
    "slm_grammar_compile": [c_void_p, c_int32, c_char_p, c_uint64, c_void_p, POINTER(c_void_p), POINTER(_error)],
    "slm_grammar_destroy": [c_void_p],
    "slm_session_set_grammar": [c_void_p, c_void_p, POINTER(_error)],
    "slm_session_create": [c_void_p, c_void_p, c_void_p, POINTER(c_void_p), POINTER(_error)],
    "slm_session_destroy": [c_void_p],
    "slm_session_append": [c_void_p, c_void_p, c_uint64, c_void_p, POINTER(_error)],
    "slm_session_next": [c_void_p, POINTER(_token), POINTER(_error)],
    "slm_session_rewind": [c_void_p, c_uint64, POINTER(_error)],
    "slm_session_fork": [c_void_p, POINTER(c_void_p), POINTER(_error)],
    "slm_session_tokens": [c_void_p, c_void_p, c_uint64, POINTER(c_uint64), POINTER(_error)],
    "slm_session_logits": [c_void_p, POINTER(POINTER(c_float)), POINTER(c_uint64), POINTER(_error)],
    "slm_generate": [c_void_p, c_char_p, c_uint64, c_void_p, c_void_p, c_uint64, POINTER(c_uint64), c_void_p, POINTER(_error)],
}

_library = None


def load(path=None):
    """Load libslm; called by itself on first use."""
    global _library
    if _library is None or path is not None:
        name = path or os.environ.get("SLM_LIBRARY") or ctypes.util.find_library("slm")
        if name is None:
            raise OSError("libslm was not found; set SLM_LIBRARY to the path of libslm.so")
        library = ctypes.CDLL(name)
        for function, arguments in _PROTOTYPES.items():
            getattr(library, function).argtypes = arguments
            getattr(library, function).restype = c_int32
        library.slm_session_cancel.argtypes = [c_void_p]
        library.slm_session_cancel.restype = None
        library.slm_build_info.argtypes = []
        library.slm_build_info.restype = c_char_p
        _library = library
    return _library


def build_info():
    return load().slm_build_info().decode()


def _call(name, *arguments):
    """Call a function that takes an slm_error last; raise on failure."""
    error = _error()
    status = getattr(load(), name)(*arguments, byref(error))
    if status != 0:
        raise Error(status, error.message.decode("utf-8", "replace") or f"{name}: status {status}")


def _text_result(name, *arguments, guess=4096):
    """Call a function that fills the caller's buffer with text."""
    needed = c_uint64(guess)
    while True:
        buffer = ctypes.create_string_buffer(needed.value + 1)
        try:
            _call(name, *arguments, buffer, needed.value, byref(needed))
        except Error as error:
            if error.status == BUFFER_TOO_SMALL:
                continue
            raise
        return buffer.raw[:needed.value].decode()


def _ids_array(ids):
    return (c_int32 * max(1, len(ids)))(*ids)


class _Handle:
    """A library object; closed at the end of a with block, or by close()."""

    _destroy = None

    def __init__(self):
        self.handle = c_void_p()

    def close(self):
        if self.handle:
            getattr(load(), self._destroy)(self.handle)
            self.handle = c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Engine(_Handle):
    _destroy = "slm_engine_destroy"

    def __init__(self, threads=0, isa=0):
        super().__init__()
        _call("slm_engine_create", byref(_engine_options(threads=threads, isa=isa)), byref(self.handle))


class Model(_Handle):
    """A .slm file, by path or as bytes."""

    _destroy = "slm_model_close"

    def __init__(self, source, engine=None):
        super().__init__()
        self._own_engine = engine is None
        self.engine = engine or Engine()
        self._bytes = None
        try:
            if isinstance(source, (bytes, bytearray)):
                self._open_bytes(source)
            else:
                path = os.fsencode(source)
                _call("slm_model_open_file", self.engine.handle, path, len(path), None, byref(self.handle))
        except Error:
            self.close()
            raise

    def _open_bytes(self, source):
        self._bytes = ctypes.create_string_buffer(len(source) + 64)  # aligned to 64, and kept as long as the model
        start = (ctypes.addressof(self._bytes) + 63) & ~63
        ctypes.memmove(start, bytes(source), len(source))
        _call("slm_model_open_memory", self.engine.handle, start, len(source), None, byref(self.handle))

    def close(self):
        super().close()
        if self._own_engine:
            self.engine.close()

    @property
    def info(self):
        info = _model_info()
        _call("slm_model_get_info", self.handle, byref(info))
        result = {name: getattr(info, name) for name, _ in info._fields_ if name not in ("struct_size", "eos_tokens", "eos_count")}
        result["eos_tokens"] = list(info.eos_tokens[: info.eos_count])
        return result

    def tokenize(self, text, add_special=True, plain=False):
        data = text.encode()
        flags = (TOKENIZE_ADD_SPECIAL if add_special else 0) | (TOKENIZE_PLAIN if plain else 0)
        count = c_uint64(len(data) + 16)
        while True:
            ids = (c_int32 * count.value)()
            try:
                _call("slm_tokenize", self.handle, data, len(data), flags, ids, count.value, byref(count))
            except Error as error:
                if error.status == BUFFER_TOO_SMALL:
                    continue
                raise
            return list(ids[: count.value])

    def detokenize(self, ids, skip_special=False):
        flags = DETOKENIZE_SKIP_SPECIAL if skip_special else 0
        return _text_result("slm_detokenize", self.handle, _ids_array(ids), len(ids), flags)

    def render(self, messages, strict=False, **request):
        """The prompt of a list of messages; further arguments as in the request: tools, add_generation_prompt, extra."""
        data = json.dumps({"messages": messages, **request}).encode()
        options = _chat_options(flags=CHAT_STRICT if strict else 0)
        return _text_result("slm_chat_render", self.engine.handle, self.handle, data, len(data), byref(options))

    def session(self, **options):
        return Session(self, **options)


class Grammar(_Handle):
    """What an answer may look like: a JSON Schema (text), a regular expression or rules. It has to outlive its sessions."""

    _destroy = "slm_grammar_destroy"

    def __init__(self, model, text, kind="schema"):
        super().__init__()
        data = text.encode()
        _call("slm_grammar_compile", model.engine.handle, GRAMMARS[kind], data, len(data), None, byref(self.handle))


class Session(_Handle):
    """One sequence of tokens. Options: context, max_tokens, kv, temperature, top_k, top_p, min_p, seed, stop (texts), grammar;
    jump: what a grammar leaves no choice of is appended without asking the model."""

    _destroy = "slm_session_destroy"

    def __init__(self, model, context=0, max_tokens=0, kv="default", stop=(), ignore_eos=False, grammar=None, jump=False,
                 grammar_bytes=2**21, **sampling):
        super().__init__()
        self.model = model
        chosen = _sampling(**sampling)
        texts = [text.encode() for text in stop]
        strings = (_String * max(1, len(texts)))(*[_String(text, len(text)) for text in texts])
        options = _session_options(
            flags=(IGNORE_EOS if ignore_eos else 0) | (JUMP if jump else 0), context=context, max_tokens=max_tokens, kv_type=KV[kv],
            sampling=ctypes.addressof(chosen), stop=ctypes.addressof(strings), stop_count=len(texts),
            grammar_bytes=grammar_bytes if grammar is not None else 0)
        _call("slm_session_create", model.handle, None, byref(options), byref(self.handle))
        if grammar is not None:
            _call("slm_session_set_grammar", self.handle, grammar.handle)

    @property
    def tokens(self):
        count = c_uint64()
        try:
            _call("slm_session_tokens", self.handle, None, 0, byref(count))
        except Error as error:
            if error.status != BUFFER_TOO_SMALL:
                raise
        ids = (c_int32 * max(1, count.value))()
        _call("slm_session_tokens", self.handle, ids, count.value, byref(count))
        return list(ids[: count.value])

    @property
    def logits(self):
        """Logits after the last token, copied."""
        values, count = POINTER(c_float)(), c_uint64()
        _call("slm_session_logits", self.handle, byref(values), byref(count))
        return values[: count.value]

    def append(self, ids):
        _call("slm_session_append", self.handle, _ids_array(ids), len(ids), None)

    def rewind(self, tokens):
        _call("slm_session_rewind", self.handle, tokens)

    def cancel(self):
        load().slm_session_cancel(self.handle)

    def stream(self):
        """Yield (token id, text, log-probability, stop) until the model stops."""
        token = _token()
        while token.stop == 0:
            _call("slm_session_next", self.handle, byref(token))
            text = ctypes.string_at(token.text, token.text_length).decode() if token.text_length else ""
            yield token.token, text, token.logprob, STOPS[token.stop]

    def generate(self, prompt, max_tokens=0, raw=False, on_text=None, max_milliseconds=0):
        """The answer to one prompt. `on_text` gets each piece as it comes; a true result stops."""
        pieces = []

        def take(_, text, length):
            piece = ctypes.string_at(text, length).decode()
            pieces.append(piece)
            return 1 if on_text is not None and on_text(piece) else 0

        data = prompt.encode()
        callback = TEXT_FN(take)
        options = _generate_options(
            flags=GENERATE_RAW if raw else 0, max_tokens=max_tokens, max_milliseconds=max_milliseconds, on_text=callback)
        result = _generate_result()
        _call("slm_generate", self.handle, data, len(data), byref(options), None, 0, None, byref(result))
        self.last = {name: getattr(result, name) for name, _ in result._fields_[1:]}
        self.last["stop"] = STOPS[result.stop]
        return "".join(pieces)

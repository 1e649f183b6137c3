# SPDX-License-Identifier: MIT
"""Test of the Python binding with the demonstration model.

    SLM_LIBRARY=build/libslm.so SLM_MODEL=examples/demo/triage-i8.slm python3 examples/python/test_slm.py
"""
import json
import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import slm  # noqa: E402

LIBRARY = pathlib.Path(os.environ.get("SLM_LIBRARY") or ROOT / "build" / "libslm.so")
MODEL = pathlib.Path(os.environ.get("SLM_MODEL") or ROOT / "examples" / "demo" / "triage-i8.slm")
PROMPT = "I want my money back for KX-7719. This is a scam, my lawyer will contact you."


class Binding(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for path in (LIBRARY, MODEL):
            if not path.exists():
                raise unittest.SkipTest(f"{path} is absent; build it, or set SLM_LIBRARY and SLM_MODEL")
        slm.load(str(LIBRARY))
        cls.model = slm.Model(MODEL)

    @classmethod
    def tearDownClass(cls):
        cls.model.close()

    def test_info(self):
        info = self.model.info
        self.assertEqual((info["layers"], info["hidden_size"], info["vocab_size"]), (6, 128, 1024))
        self.assertEqual(info["eos_tokens"], [2])

    def test_text_comes_back_from_tokens(self):
        text = "Order KX-7719, naïve café, 你好 \U0001f600"
        ids = self.model.tokenize(text)
        self.assertEqual(self.model.detokenize(ids), text)

    def test_special_tokens_can_be_plain_text(self):
        special = self.model.tokenize("<|im_end|>")
        plain = self.model.tokenize("<|im_end|>", plain=True)
        self.assertEqual(special, [2])
        self.assertNotIn(2, plain)
        self.assertEqual(self.model.detokenize(plain), "<|im_end|>")

    def test_generate_answers_with_json(self):
        pieces = []
        with self.model.session() as session:
            answer = session.generate(PROMPT, max_tokens=64, on_text=lambda piece: pieces.append(piece))
            self.assertEqual(session.last["stop"], "eos")
        self.assertEqual("".join(pieces), answer)
        value = json.loads(answer)
        self.assertEqual(sorted(value), ["escalate", "intent", "order", "route", "sentiment", "urgency"])

    def test_loop_gives_what_generate_gives(self):
        prompt = self.model.render([{"role": "user", "content": PROMPT}])
        ids = self.model.tokenize(prompt, add_special=False)
        with self.model.session() as session:
            expected = session.generate(PROMPT)
        with self.model.session() as session:
            session.append(ids)
            steps = list(session.stream())
            self.assertEqual("".join(text for _, text, _, _ in steps), expected)
            self.assertEqual(steps[-1][3], "eos")
            self.assertTrue(all(logprob <= 0 for _, _, logprob, _ in steps))
            self.assertEqual(session.tokens, ids + [token for token, _, _, _ in steps])
            session.rewind(len(ids))
            self.assertEqual([step[0] for step in session.stream()], [step[0] for step in steps])

    def test_model_from_bytes(self):
        with slm.Model(MODEL.read_bytes()) as model, model.session() as a, self.model.session() as b:
            self.assertEqual(a.generate(PROMPT), b.generate(PROMPT))

    def test_errors_are_exceptions_and_do_no_harm(self):
        with self.assertRaises(slm.Error) as caught:
            slm.Model("/nowhere/model.slm")
        self.assertEqual(caught.exception.status, 20)
        self.assertIn("/nowhere/model.slm", str(caught.exception))
        with self.model.session(context=32) as session:
            session.append([5, 6, 7])
            with self.assertRaises(slm.Error) as caught:
                session.append([5, 1 << 20])
            self.assertEqual(caught.exception.status, 53)
            with self.assertRaises(slm.Error) as caught:
                session.append([5] * 64)
            self.assertEqual(caught.exception.status, 50)
            self.assertEqual(session.tokens, [5, 6, 7])


if __name__ == "__main__":
    unittest.main()

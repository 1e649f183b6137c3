# SPDX-License-Identifier: MIT
"""Synthetic customer messages with their triage labels.

    python generate.py --n 10 --seed 1            # prints JSON lines
    python generate.py --n 10 --seed 1 --heldout  # six in ten requests use a fragment kept out of training
"""
import argparse
import hashlib
import json
import pathlib
import random
import re

SYSTEM = "Triage the customer message. Answer with JSON."
ROUTES = {
    "refund": "billing", "track_order": "shipping", "cancel_order": "orders", "change_address": "shipping",
    "damaged_item": "returns", "wrong_item": "returns", "invoice": "billing", "payment_failed": "billing",
    "reset_password": "account", "product_question": "sales", "complaint": "care", "human_agent": "care",
    "other": "care",
}
INTENTS = list(ROUTES)
URGENCY = ["low", "normal", "high"]
SENTIMENT = ["positive", "neutral", "negative", "angry"]
ID_PATTERN = "^[A-Za-z0-9][A-Za-z0-9-]{2,6}[A-Za-z0-9]$"
NO_ORDER = {"reset_password", "product_question", "human_agent", "other"}  # seldom mention an order
HELD_OUT_SECTIONS = INTENTS + [
    "greeting", "context", "closing", "urgency.high", "urgency.low", "sentiment.positive", "sentiment.negative",
    "sentiment.angry", "legal", "safety", "human", "decoy", "aside", "first"]
UPPER, ID = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "\0"  # ID stands for the order id until the noise has been applied
NUMBERS = "two three four five six seven eight nine ten".split()
CONTRACTIONS = [("I am", "I'm"), ("I have", "I've"), ("I will", "I'll"), ("it is", "it's"), ("is not", "isn't"),
                ("do not", "don't"), ("does not", "doesn't"), ("did not", "didn't"), ("cannot", "can't"),
                ("could not", "couldn't"), ("will not", "won't"), ("has not", "hasn't"), ("what is", "what's")]
SLANG = [("please", "pls"), ("you", "u"), ("your", "ur"), ("are", "r"), ("want to", "wanna"), ("going to", "gonna"),
         ("order", "ordr"), ("because", "cuz"), ("and", "&"), ("to", "2"), ("thanks", "thx"), ("tomorrow", "tmrw"),
         ("password", "pw"), ("address", "adress"), ("received", "recieved"), ("definitely", "definately")]
NEIGHBOURS = dict(zip("qwertyuiopasdfghjklzxcvbnm",
                      "wa es rd tf gy hu ij ok pl lo sq dw fs gd hf jg kh lj mk xa cz vx bc nv mb n".split()))


def held_out(fragment):
    return hashlib.md5(fragment.encode()).digest()[0] % 5 == 0


def load_phrases(path=pathlib.Path(__file__).with_name("phrases.txt")):
    sections, current = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("#") and current is not None:
            current.append(line)
        elif line.startswith("#") and current is not None:
            current.append(line)  # "#{id}" is a fragment, comments stand above the first section
    return sections


def order_id(r):
    digits = lambda n: "".join(r.choice("0123456789") for _ in range(n))
    letters = lambda n: "".join(r.choice(UPPER) for _ in range(n))
    kind = r.random()
    if kind < .45:
        text = r.choice("123456789") + digits(r.choice([3, 4, 4, 4, 5, 5, 6, 7]))
    elif kind < .65:
        text = letters(1) + r.choice(["-", "-", ""]) + digits(r.randint(3, 6))
    elif kind < .78:
        text = letters(2) + r.choice(["-", "", ""]) + digits(r.randint(3, 5))
    elif kind < .86:
        text = letters(3) + r.choice(["-", ""]) + digits(r.randint(3, 4))
    elif kind < .94:
        text = "".join(r.choice(UPPER + "0123456789" * 3) for _ in range(r.randint(5, 8)))
        text = text if sum(c.isdigit() for c in text) > 1 else text[:-2] + digits(2)
    else:
        text = digits(3) + "-" + digits(r.randint(3, 4))
    return text.lower() if r.random() < .06 else text


class Generator:
    """`fragments` is "train" (held-out fragments never appear) or "all" (six in ten requests are held out)."""

    def __init__(self, seed, fragments="train"):
        self.r, self.mode = random.Random(seed), fragments
        self.all = load_phrases()
        self.train = {k: [f for f in v if k not in HELD_OUT_SECTIONS or not held_out(f)] for k, v in self.all.items()}
        self.slots = self.train if fragments == "train" else self.all

    # -- filling fragments ---------------------------------------------------------------------------------------
    def number(self):
        return self.r.choice(NUMBERS) if self.r.random() < .4 else str(self.r.randint(2, 30))

    def price(self):
        value = self.r.choice([f"{self.r.randint(3, 400)}.{self.r.choice(['00', '50', '90', '95', '99'])}",
                               str(self.r.randint(3, 2500))])
        return self.r.choice(["${}", "{} dollars", "{} euros", "EUR {}", "£{}", "{} EUR", "€{}", "{} pounds"]).format(value)

    def date(self):
        d, m, month = self.r.randint(1, 28), self.r.randint(1, 12), self.r.choice(self.all["month"])
        return self.r.choice([f"{d} {month}", f"{month} {d}", f"{month} {d}th", f"{d:02}/{m:02}/2026", f"{d}.{m}.",
                              f"2026-{m:02}-{d:02}", f"the {d}th of {month}", f"{d:02}.{m:02}.2025"])

    def digits(self, low, high):
        return "".join(self.r.choice("0123456789") for _ in range(self.r.randint(low, high)))

    def address(self):
        place = f"{self.r.randint(1, 250)} {self.r.choice(self.all['street'])}"
        return self.r.choice([place, place, f"{place}, {self.r.choice(self.all['city'])}",
                              f"{place}, {self.digits(5, 5)} {self.r.choice(self.all['city'])}", "my office", "my parents",
                              "my work address", "a pickup point", "my neighbour", f"my new flat in {self.r.choice(self.all['city'])}",
                              f"flat {self.r.randint(1, 40)}, {place}"])

    def slot(self, name):
        r = self.r
        made = {"n": self.number, "price": self.price, "date": self.date, "address": self.address,
                "id": lambda: ID, "zip": lambda: self.digits(5, 5), "four": lambda: self.digits(4, 4),
                "long": lambda: self.digits(9, 13), "time": lambda: f"{r.randint(0, 23)}:{r.randint(0, 59):02}",
                "phone": lambda: r.choice(["0", "+44 ", "+1 ", "("]).replace("(", "") + self.digits(2, 4)
                + r.choice([" ", "-", "/"]) + self.digits(6, 7),
                "email": lambda: f"{r.choice(self.all['name']).lower().replace(' ', '.')}{self.digits(0, 3)}@example.com",
                "model": lambda: r.choice(UPPER) + r.choice(["", "-", r.choice(UPPER)]) + self.digits(2, 4),
                "secondary": lambda: self.pick(self.secondary),
                "topic": lambda: self.pick("topic." + r.choice(INTENTS[:-2]))}
        return made[name]() if name in made else self.pick(name)

    def fill(self, text, order="order.none"):
        def choose(match):
            options = match.group(1).split("|")
            return self.r.choice(options) if len(options) > 1 else f"\1{options[0]}\2"
        while "(" in text:
            text = re.sub(r"\(([^()]*)\)", choose, text)
        text = text.replace("\1", "(").replace("\2", ")")
        text = re.sub(r"\{([a-z0-9_.]+)\}", lambda m: self.pick(order) if m.group(1) == "order" else self.slot(m.group(1)), text)
        return " ".join(text.split()).replace(" ?", "?").replace(" ,", ",")

    def pick(self, section, **kw):
        return self.fill(self.r.choice(self.slots[section]), **kw)

    def core(self, intent):
        if self.mode == "all" and self.r.random() < .5:
            return self.r.choice([f for f in self.all[intent] if held_out(f)])
        return self.r.choice(self.slots[intent])

    # -- one example ---------------------------------------------------------------------------------------------
    def example(self):
        while True:
            made = self.draft()
            if 3 <= len(made["message"].split()) <= 60:
                return made

    def draft(self):
        r, chance = self.r, lambda p: self.r.random() < p
        intent = r.choices(INTENTS, [1] * 12 + [1.7])[0]
        ident = order_id(r) if chance(.13 if intent in NO_ORDER else .62) else None
        fragment = self.core(intent)
        inline = ident and "{order}" in fragment and chance(.75)
        core = self.fill(fragment, order="order" if inline else "order.none")
        before, after, middle = [], [], []
        if ident and not inline:
            middle.append(self.pick("order.tail"))
        if intent not in ("other", "human_agent"):
            if chance(.12):
                self.secondary = r.choice([i for i in INTENTS[:-3] if i != intent])
                after.append(self.pick("aside"))
            elif chance(.06):
                before.append(self.pick("first"))
            if chance(.08):
                middle.append(self.fill(r.choice(self.slots[intent])))
        legal = chance(.05) and intent != "other"
        safety = chance({"damaged_item": .2, "complaint": .08, "refund": .04}.get(intent, .01)) and intent != "other"
        human = chance(.06) and intent != "other"
        urgency = r.choices(URGENCY, [.16, .60, .24])[0]
        sentiment = r.choices(SENTIMENT, [.12, .55, .19, .14])[0]
        if safety and urgency == "low":
            urgency = "normal"
        if (legal or safety or intent == "complaint") and sentiment == "positive":
            sentiment = "neutral"
        if urgency != "normal":
            middle.append(self.pick("urgency." + urgency))
        if sentiment != "neutral":
            middle.append(self.pick("sentiment." + sentiment))
        for wanted, section in ((legal, "legal"), (safety, "safety"), (human, "human"), (chance(.06), "decoy")):
            if wanted:
                middle.append(self.pick(section))
        for p in (.42, .12):
            if chance(p):
                middle.append(self.pick("context"))
        r.shuffle(middle)
        cut = r.randint(0, len(middle))
        if human:  # the request comes first, the wish for a person after it
            cut = 0 if chance(.7) else cut
        parts = middle[:cut] + before + [core] + after + middle[cut:]
        if chance(.5):
            parts.insert(0, self.pick("greeting"))
        if chance(.42):
            parts.append(self.pick("closing"))
        labels = {
            "intent": intent, "order": ident,
            "urgency": "high" if safety else urgency,
            "sentiment": "angry" if legal else "negative" if intent == "complaint" and sentiment == "neutral" else sentiment,
            "route": ROUTES[intent],
            "escalate": bool(legal or safety or human or intent in ("human_agent", "other")),
        }
        text = self.noise(parts, shouting=chance(.3 if labels["sentiment"] == "angry" else .015))
        return {"message": text.replace(ID, ident or ""), "expected": labels, "unseen": held_out(fragment)}

    def noise(self, parts, shouting):
        r, style = self.r, self.r.random()
        joiner = r.choice([". ", ". ", ". ", ". ", ", ", "! ", " ", " - ", "... ", ".\n", "\n"])
        text = ""
        for i, part in enumerate(parts):
            if style > .25:
                part = part[:1].upper() + part[1:]
            text += part
            if i + 1 < len(parts):
                step = joiner if r.random() < .8 else r.choice([". ", ", ", "! ", " "])
                if i == 0 and r.random() < .3:
                    step = ", "
                text += " " if part[-1] in "?!:" and step != "\n" else step
        text += "" if text[-1] in "?!." else r.choice([".", ".", "", "", "!", "...", "!!"])
        if r.random() < .4:
            for long, short in CONTRACTIONS:
                text = text.replace(long, short)
        if r.random() < .08:
            for word, slang in SLANG:
                if r.random() < .5:
                    text = re.sub(rf"\b{word}\b", slang, text)
        if r.random() < .12:
            text = text.replace("'", r.choice(["", "’", "´"]))
        if r.random() < .06:
            text = re.sub(r"\b(the|a|my|is) ", "", text)
        rate = r.choices([0, .03, .12], [.62, .28, .10])[0]
        if rate:
            text = re.sub(r"[A-Za-z]{3,}", lambda m: self.typo(m.group()) if r.random() < rate else m.group(), text)
        if shouting:
            text = text.upper()
        elif style < .22:
            text = text.lower()
        if r.random() < .05:
            text = text.rstrip(".!") + r.choice([" :)", " :(", "!!!", "???", " 🙂", " 😡" if shouting else " 🙏", "?!"])
        return text.strip()

    def typo(self, word):
        i, kind = self.r.randrange(len(word) - 1), self.r.random()
        if kind < .35:
            return word[:i] + word[i + 1] + word[i] + word[i + 2:]
        if kind < .65:
            return word[:i] + word[i + 1:]
        if kind < .8:
            return word[:i] + word[i] + word[i:]
        return word[:i] + self.r.choice(NEIGHBOURS.get(word[i].lower(), word[i])) + word[i + 1:]


def answer(labels):
    return json.dumps(labels, separators=(",", ":"))


def schema():
    enum = lambda values: {"type": "string", "enum": values}
    properties = {
        "intent": enum(INTENTS),
        "order": {"type": ["string", "null"], "minLength": 4, "maxLength": 8, "pattern": ID_PATTERN},
        "urgency": enum(URGENCY), "sentiment": enum(SENTIMENT), "route": enum(sorted(set(ROUTES.values()))),
        "escalate": {"type": "boolean"},
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Customer message triage",
            "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--n", type=int, default=10)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--heldout", action="store_true")
    p.add_argument("--schema", action="store_true", help="print the JSON Schema of the output instead")
    a = p.parse_args()
    if a.schema:
        print(json.dumps(schema(), indent=2))
    else:
        g = Generator(a.seed, "all" if a.heldout else "train")
        for _ in range(a.n):
            print(json.dumps(g.example(), ensure_ascii=False))

# SPDX-License-Identifier: MIT
"""Answers under schemas, checked by an independent validator:  python tests/validate_constrained.py build/slm maskbench.jsonl [SCHEMAS]

Needs jsonschema. One answer of the demonstration model for each schema that compiles, at a temperature where its weights hardly matter.
"""
import collections
import json
import subprocess
import sys
import tempfile

import jsonschema

program, path, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 200
counts = collections.Counter()
for number, line in enumerate(open(path, encoding="utf-8")):
    if counts["valid"] + counts["invalid"] >= wanted:
        break
    case = json.loads(line)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(case["schema"], file)
        file.flush()
        answer = subprocess.run([program, "run", "--schema", file.name, "-n", "300", "--temp", "20", "--seed", str(number), "hello"],
                                capture_output=True, timeout=60)
    if answer.returncode != 0:
        message = answer.stderr.decode()
        counts["answer too long for 300 tokens" if "does not fit" in message else "schema not supported"] += 1
        continue
    try:
        validator = jsonschema.validators.validator_for(case["schema"], jsonschema.Draft202012Validator)
        validator(case["schema"]).validate(json.loads(answer.stdout))
        counts["valid"] += 1
    except (ValueError, jsonschema.ValidationError) as error:
        counts["invalid"] += 1
        print(case["name"], str(error).splitlines()[0], answer.stdout[:200])
print(dict(counts))
sys.exit(1 if counts["invalid"] else 0)

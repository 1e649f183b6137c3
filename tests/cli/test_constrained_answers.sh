#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Answers under schemas, checked by an independent validator where Python has one (PYTHON names the interpreter).
cd "$(dirname "$0")/../.." || exit 1
if [ -n "${SLM_SANITIZER:-}" ]; then
    echo "skipped: Python cannot load a library with sanitizers"
    exit 77
fi
"${PYTHON:-python3}" -c "import sys; sys.exit(sys.version_info < (3, 9))" 2>/dev/null || { echo "skipped: no Python 3.9"; exit 77; }
exec "${PYTHON:-python3}" tests/validate_constrained.py "$SLM_BUILD"

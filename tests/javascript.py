"""Exported JavaScript, run by Node.js: one process for all texts."""

import base64
import json
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest

# Each line of its input asks for one text, of which every number comes and goes as its eight bytes.
SERVER = """
const numbers = text => { const bytes = Buffer.from(text, "base64"), copy = new Uint8Array(bytes);
                          return new Float64Array(copy.buffer); };
const coded = column => Buffer.from(Float64Array.from(column).buffer).toString("base64");
require("readline").createInterface({ input: process.stdin }).on("line", line => {
    let answer;
    try {
        const { text, name, columns, rows, many, batch } = JSON.parse(line);
        const [one, all] = new Function(`${text}\\nreturn [${name}, ${name}_batch];`)();
        const given = columns.map(numbers);
        const found = Array.from({ length: many }, () => new Float64Array(rows));
        if (batch) all(rows, given, given.map(() => 1), found, found.map(() => 1));
        else for (let k = 0; k < rows; k++) {
            const row = one(...given.map(column => column[k]));
            found.forEach((column, o) => { column[k] = many === 1 ? row : row[o]; });
        }
        answer = found.map(coded);
    } catch (error) { answer = String(error); }
    process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


@cache
def _server():
    if not shutil.which("node"):
        pytest.skip("there is no Node.js to run JavaScript")
    return subprocess.Popen(["node", "-e", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def run_javascript(text, name, columns, outputs, batch=False):
    """What a text gives for columns of numbers, one an input: columns, one an output. An Error is a ValueError."""
    given = [base64.b64encode(np.array(column, "<f8").tobytes()).decode() for column in columns]
    rows = len(columns[0]) if columns else 1
    asked = {"text": text, "name": name, "columns": given, "rows": rows, "many": outputs, "batch": batch}
    server = _server()
    server.stdin.write(json.dumps(asked) + "\n")
    server.stdin.flush()
    answer = json.loads(server.stdout.readline())
    if isinstance(answer, str):
        raise ValueError(answer)
    return [np.frombuffer(base64.b64decode(column), "<f8") for column in answer]

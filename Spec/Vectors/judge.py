"""judge.py VECTORS DTYPE MODULE: holds loss(prediction, target) of a Python file, which returns
the value and the gradient in the prediction, against the vectors of a loss, in f32 or f64."""
import json, runpy, struct, sys
vectors, dtype, module = sys.argv[1:]
loss = runpy.run_path(module)["loss"]
def numbers(text, code):
    return struct.unpack(f">{len(text) // (2 * struct.calcsize(code))}{code}", bytes.fromhex(text))
cases = next(s for s in json.load(open(vectors))["sections"] if s["dtype"] == dtype)["cases"]
wrong = set()
for case in cases:
    code, target = {"f32": "f", "f64": "d"}[dtype], case["target"]
    target = numbers(target, code) if isinstance(target, str) else target
    value, gradient = loss(numbers(case["prediction"], code), target)
    for k, (got, band) in enumerate(zip((value, *gradient), (case["value"], *case["gradient"]))):
        if band and not numbers(band, "d")[0] <= got <= numbers(band, "d")[4]:
            wrong.add(case["id"])
            print(case["id"], f"gradient {k - 1}" if k else "value", got)
print(f"{len(cases) - len(wrong)} of {len(cases)} cases are right")
sys.exit(bool(wrong))

"""Writes Spec/Conformance.md from runs of the installed frameworks.

    python3 Spec/Conformance/report.py --lossref .build/release/lossref \\
        --torch ENVIRONMENT/bin/python --tensorflow ENVIRONMENT/bin/python --results FOLDER

TensorFlow and PyTorch need an environment each: they do not run in one process. Every run's report
is kept in the folder, and is not repeated while it is there.
"""
import argparse
import hashlib
import json
import math
import pathlib
import struct
import subprocess
import sys

from remarks import NOT_JUDGED, REMARKS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CASES = 2000
FEWER = 500

# Functions that are asked in float64, too, whatever they do in float32.
DOUBLE = [
    "torchvision/complete_box_iou_loss", "torchvision/sigmoid_focal_loss",
    "ultralytics/bbox_iou_CIoU", "torch/binary_cross_entropy_with_logits", "mmdet/ciou_loss",
    "keras/compute_ciou", "optax/sigmoid_binary_cross_entropy", "monai/BoxGIoULoss",
]
# Functions that answer 1 − L, which are not held against the chapter's L.
SIMILARITIES = [
    "torchvision/box_iou", "torchvision/generalized_box_iou", "torchvision/distance_box_iou",
    "torchvision/complete_box_iou", "ultralytics/bbox_iou_IoU", "ultralytics/bbox_iou_GIoU",
    "ultralytics/bbox_iou_DIoU", "ultralytics/bbox_iou_CIoU", "ultralytics/probiou",
    "ultralytics/batch_probiou", "keras/compute_ciou",
]
BOXES = ["iou", "giou", "diou", "ciou", "extended_iou", "siou", "bounded_iou"]

# Items at the edge of a loss's domain, which the generators leave to their own judgement.
EDGES = {
    **{loss: [
        ([0.5] * 4, [0.5] * 4), ([0.25] * 4, [0.75] * 4), ([0.5] * 4, [0, 0, 1, 1]),
        ([0, 0, 1, 1], [0.5] * 4), ([0, 0.5, 1, 0.5], [0, 0, 1, 1]),
        ([0, 0.5, 1, 0.5], [0, 0.5, 1, 0.5]),
    ] for loss in BOXES if loss != "bounded_iou"},
    "probiou": [([0.5, 0.5, 0, 0, 0], [0.5, 0.5, 0, 0, 0]), ([0, 0, 2, 1, 0], [0, 0, 2, 1, 0]),
                ([0.5, 0.5, 0, 0, 0], [0, 0, 1, 1, 0])],
    "bce": [([1000], [0]), ([-1000], [1]), ([1000], [1])],
    "focal": [([1000], [0]), ([-1000], [1]), ([1000], [1])],
    "focal_star": [([1000], [0]), ([-1000], [1]), ([1000], [1])],
    "bce_probabilities": [([0], [0]), ([0], [1]), ([1], [0]), ([1], [1])],
    "cross_entropy": [([1000, 0], [0, 1]), ([1000, 0], [1, 0])],
    "sparse_cross_entropy": [([1000, 0], [1]), ([1000, 0], [0])],
    "dice": [([0, 0], [0, 0]), ([1, 1], [0, 0]), ([0, 0], [1, 1])],
    "soft_iou": [([0, 0], [0, 0]), ([1, 1], [0, 0]), ([0, 0], [1, 1])],
    "log_cosh": [([1000], [0]), ([1e-9], [0])],
}


def case_text(item, loss, dtype):
    """An item as `--case` reads it."""
    form = ">f" if dtype == "f32" else ">d"

    def pack(numbers):
        return "".join(struct.pack(form, x).hex() for x in numbers)

    prediction, target = item
    return pack(prediction) + ":" + (
        ",".join(str(int(x)) for x in target) if loss == "sparse_cross_entropy" else pack(target))


class Peer:
    """A function of a framework, and its runs."""

    def __init__(self, options, name, program, python, loss, dialect, call):
        self.options, self.name, self.program, self.python = options, name, program, python
        self.loss, self.dialect, self.call = loss, name if dialect == "own" else dialect, call

    def arguments(self, dtype, case=None, dialect=None, cases=CASES):
        """What follows `lossref verify`, up to the program."""
        dialect = dialect or self.dialect
        return ["--loss", self.loss] + (
            [] if dialect == "native" else ["--dialect", dialect]
        ) + ([] if dtype == "f32" else ["--dtype", dtype]) + (
            ["--case", case] if case else ["--cases", str(cases)])

    def command(self, arguments, verb="verify"):
        """The command to repeat a run by."""
        return " ".join(
            ["lossref", verb, *arguments, "--", "python", f"Spec/Conformance/{self.program}",
             self.name])

    def run(self, arguments, verb="verify"):
        """The run's report, from the folder where it is there."""
        digest = hashlib.sha256(" ".join(arguments).encode()).hexdigest()[:16]
        name = f"{verb} {self.name} {self.loss} {digest}.json"
        kept = self.options.results / name.replace("/", " ")
        if not kept.exists():
            command = [
                self.options.lossref, verb, *arguments, "--json", kept, "--", self.python,
                f"Spec/Conformance/{self.program}", self.name]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if not kept.exists():
                sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return json.loads(kept.read_text())

    def verify(self, dtype="f32", case=None, dialect=None, cases=CASES):
        return self.run(self.arguments(dtype, case, dialect, cases))["reports"][0]

    def edges(self, dtype="f32"):
        """The edge items that the function answers with a NaN, and how many it was asked."""
        found = []
        items = EDGES.get(self.loss, [])
        for item in items:
            case = case_text(item, self.loss, dtype)
            report = self.verify(dtype, case)
            if any(s["nan"] for s in report["strata"]):
                found.append((item, case))
        return found, len(items)

    def in_double(self, finding):
        """What becomes of a finding's item in float64: the relative error, 0 where it passes."""
        item = (numbers(finding["prediction"]), numbers(finding["target"]))
        report = self.verify("f64", case_text(item, self.loss, "f64"))
        if not report["findings"]:
            return 0
        # Of the item itself: the findings' are of simpler ones.
        return max(number(s[key]) for s in report["strata"]
                   for key in ("worstValueUlps", "worstGradientUlps")) * 2 ** -52


def number(x):
    return float(x)


def numbers(xs):
    return [float(x) for x in xs]


def peers(options):
    for program, python in [
        ("peers_torch.py", options.torch), ("peers_tensorflow.py", options.tensorflow)
    ]:
        listed = subprocess.run(
            [sys.executable, HERE / program, "--list"], capture_output=True, check=True, text=True)
        for name, row in json.loads(listed.stdout).items():
            yield Peer(options, name, program, python, *row)


# Writing


def short(x):
    """A number in few digits."""
    x = number(x)
    if math.isinf(x):
        return "∞"
    if x == int(x) and abs(x) < 1e4:
        return str(int(x))
    return f"{x:.2g}" if x < 100 else f"{x:.0f}" if x < 1e4 else f"{x:.0e}".replace("e+0", "e")


def worst(report, key):
    """The worst error of what was judged: in ulps, and in half-widths of the band."""
    strata = report["strata"]
    ulps = max((number(s[f"worst{key}Ulps"]) for s in strata), default=0)
    half_widths = max((number(s[f"worst{key}"]) for s in strata), default=0)
    return f"{short(ulps)} ({short(half_widths)})"


def total(report, key):
    return sum(int(s[key]) for s in report["strata"])


def listed(numbers_):
    if len(numbers_) > 20:
        return f"of {len(numbers_)} numbers"
    return " ".join(f"{number(x):.9g}" for x in numbers_)


def beside_chapter(peer):
    """How the function, as it is, compares with the chapter's definition."""
    if peer.dialect == "native" or peer.name in SIMILARITIES:
        return ""
    report = peer.verify(dialect="native", cases=FEWER)
    outside = total(report, "outside")
    return f"{outside} of {total(report, 'items')} outside" if outside else report["verdict"]


def row(peer, dtype, identified):
    report = peer.verify(dtype)
    nan, asked = peer.edges(dtype)
    name = f"`{peer.name.split('/', 1)[1]}`" + ("" if dtype == "f32" else " in float64")
    against = "the chapter" if peer.dialect == "native" else "itself" if (
        peer.dialect == peer.name) else f"`{peer.dialect}`"
    counts = f"{total(report, 'outside')} of {total(report, 'items')}"
    return [
        name, peer.loss, against, report["verdict"], counts, str(total(report, "open")),
        beside_chapter(peer) if dtype == "f32" else "",
        worst(report, "Value"), worst(report, "Gradient"),
        f"{total(report, 'nan')}, {len(nan)} of {asked}" if asked else str(total(report, "nan")),
        str(total(report, "negative")), identified,
        f"`{peer.command(peer.arguments(dtype))}`",
    ]


def findings(peer, dtype):
    """The paragraphs about one function that does not conform."""
    report = peer.verify(dtype)
    lines = []
    is_noted = report["findings"] or total(report, "negative")
    if peer.name in REMARKS and dtype == "f32" and is_noted:
        lines += [REMARKS[peer.name], ""]
    where = ", ".join(
        f"{s['name']} {s['outside']} of {s['items']}" for s in report["strata"] if s["outside"])
    if where:
        lines += [f"Outside by strata: {where}.", ""]
    for finding in report["findings"]:
        lines.append(f"- {finding['what']}, {finding['items']} items.")
        lines.append(f"  Prediction {listed(finding['prediction'])}; "
                     f"target {listed(finding['target'])}:")
        if "truth" in finding:
            lines.append(
                f"  {finding['quantity']} {number(finding['got']):.9g}, truth "
                f"{number(finding['truth']):.9g}; {short(finding['halfWidths'])} half-widths, "
                f"{short(finding['ulps'])} ulps.")
            if dtype == "f32":
                error = peer.in_double(finding)
                lines.append(
                    "  In float64 the same item passes." if error == 0 else
                    "  In float64 the same item does not pass, either." if math.isinf(error) else
                    f"  In float64 the same item is off by a part of {error:.1g}.")
        elif finding["detail"]:
            lines.append(f"  {finding['detail']}")
        if finding["dialects"]:
            given = ", ".join(f"`{d}`" for d in finding["dialects"])
            lines.append(f"  As given by {given}.")
        case = peer.arguments(dtype, finding["case"])
        lines += ["", f"  ```\n  {peer.command(case)}\n  ```", ""]
    return lines


def edge_lines(peer):
    found, asked = peer.edges()
    return [
        f"- NaN at prediction {listed(item[0])}, target {listed(item[1])}:\n\n"
        f"  ```\n  {peer.command(peer.arguments('f32', case))}\n  ```\n" for item, case in found]


HEADER = """\
# Conformance of the frameworks

Written by [report.py](Conformance/report.py) from runs of the functions that the frameworks ship, on a CPU,
in float32 unless said otherwise, {cases} items each, by `lossref verify`; [its protocol](Protocol/README.md)
says what a band is. [peers_torch.py](Conformance/peers_torch.py) and
[peers_tensorflow.py](Conformance/peers_tensorflow.py) hold the calls. Every line has the command that repeats
it, from the root of this package, with `lossref` of this version in PATH and a `python` that has the
framework in the version stated.

- **held against**: *itself* is the catalog's dialect of that function, which has its epsilons, clips and
  detached parts as they are documented; *the chapter* is the definition with default hyperparameters.
  Where a function conforms, it computes what it says, as well as its own formula allows in this precision.
- **outside**: items with a number outside its band; **open**: items whose band says nothing.
- **the chapter**: how the function that is held against itself compares with the chapter's definition; the
  command is the same without `--dialect`, and with `--cases {fewer}`. Epsilons show here, above all on boxes of a hundredth and less.
- **value**, **gradient**: the worst error that was judged, in ulps of the truth (of a gradient, of its
  largest component), and in half-widths of the band, of which 4 are allowed. Ulps are large where the truth
  is nearly 0, whoever computes it.
- **NaN**: answers with a NaN among the items; then of how many items at the edge of the domain, such as boxes
  without area. **negative**: losses below 0 (similarities above 1) where the truth is not.
- **identified**: what `lossref identify` names the function, among the catalog's dialects and parameters.

"Does not conform" is not "is wrong": a formula that loses more digits than the reference's is outside its
band, too. What it is, is said with each.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lossref", required=True)
    parser.add_argument("--torch", required=True)
    parser.add_argument("--tensorflow", required=True)
    parser.add_argument("--results", required=True, type=pathlib.Path)
    options = parser.parse_args()
    options.lossref = str(pathlib.Path(options.lossref).resolve())
    options.results = options.results.resolve()
    options.results.mkdir(parents=True, exist_ok=True)

    frameworks = {}
    for peer in peers(options):
        framework = "keras_cv" if "keras_cv" in peer.name else peer.name.split("/")[0]
        frameworks.setdefault(framework, []).append(peer)
    out = [HEADER.format(cases=CASES, fewer=FEWER)]
    for framework, members in frameworks.items():
        version = members[0].verify()["program"]["version"]
        out += [f"## {framework} {version}", ""]
        columns = ["function", "loss", "held against", "verdict", "outside", "open",
                   "the chapter", "value, ulps (half-widths)", "gradient", "NaN", "negative", "identified",
                   "command"]
        out += ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
        details = []
        for peer in members:
            for dtype in ["f32", "f64"] if peer.name in DOUBLE else ["f32"]:
                cells = row(peer, dtype, identity(peer) if dtype == "f32" else "")
                print(peer.name, dtype, *cells[3:11], sep=" | ", flush=True)
                out.append("| " + " | ".join(cells) + " |")
                lines = findings(peer, dtype) + (edge_lines(peer) if dtype == "f32" else [])
                if lines:
                    kind = "" if dtype == "f32" else ", float64"
                    details += [f"### {peer.name}{kind}", "", f"`{peer.call}`", ""] + lines
        out += [""] + details
    out += NOT_JUDGED
    text = "\n".join(out)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    (ROOT / "Spec" / "Conformance.md").write_text(text.rstrip() + "\n")


def identity(peer):
    """What `lossref identify` makes of the function, and the command."""
    arguments = ["--loss", peer.loss]
    report = peer.run(arguments, "identify")
    names = report["names"] or report.get("nearest", {}).get("names", [])
    # Its own name first, then those with a framework's own arguments.
    names.sort(key=lambda n: (n["name"].split(" ")[0] != peer.dialect, not n["default"]))
    name = f"`{names[0]['name']}`" if names else ""
    text = {
        "one": name, "none": "none" + (f"; nearest is {name}" if names else ""),
        "several": f"{name}, or alike: {len({n['function'] for n in names})} functions that this "
        "precision does not tell apart",
    }.get(report["verdict"], report["verdict"])
    return f"{text} `{peer.command(arguments, 'identify')}`"


main()

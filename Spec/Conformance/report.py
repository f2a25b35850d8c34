"""Writes Spec/Conformance.md from runs of the installed frameworks.

    python3 Spec/Conformance/report.py --lossref .build/release/lossref \\
        --torch ENVIRONMENT/bin/python --tensorflow ENVIRONMENT/bin/python --results FOLDER

TensorFlow and PyTorch need an environment each: they do not run in one process. Every run's report
is kept in the folder, and is not repeated while it is there. `--only NAME` runs one function.
"""
import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOUBLE = [
    "torchvision/complete_box_iou_loss", "torchvision/sigmoid_focal_loss",
    "ultralytics/bbox_iou_CIoU", "torch/binary_cross_entropy_with_logits", "mmdet/ciou_loss",
    "keras/compute_ciou", "optax/sigmoid_binary_cross_entropy", "monai/BoxGIoULoss",
]


def peers(options):
    """Every function: its name, program, interpreter, loss, dialect and call."""
    for program, python in [
        ("peers_torch.py", options.torch), ("peers_tensorflow.py", options.tensorflow)
    ]:
        listed = subprocess.run(
            [sys.executable, HERE / program, "--list"], capture_output=True, check=True, text=True)
        for name, (loss, dialect, call) in json.loads(listed.stdout).items():
            dialect = name if dialect == "own" else dialect
            yield name, program, python, loss, dialect, call


def run(options, verb, program, python, arguments, path):
    """The report of a run of lossref, from the folder where it is there."""
    if not path.exists():
        command = [
            options.lossref, verb, *arguments, "--json", path, "--", python,
            "Spec/Conformance/" + program[0], program[1],
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if not path.exists():
            print(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
            return None
    return json.loads(path.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lossref", required=True)
    parser.add_argument("--torch", required=True)
    parser.add_argument("--tensorflow", required=True)
    parser.add_argument("--results", required=True, type=pathlib.Path)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    options.lossref = str(pathlib.Path(options.lossref).resolve())
    options.results = options.results.resolve()
    options.results.mkdir(parents=True, exist_ok=True)
    for name, program, python, loss, dialect, call in peers(options):
        if options.only and name not in options.only:
            continue
        for dtype in ["f32", "f64"] if name in DOUBLE else ["f32"]:
            path = options.results / f"{name.replace('/', '.')}.{dtype}.json"
            report = run(
                options, "verify", (program, name), python,
                ["--loss", loss, "--dialect", dialect, "--dtype", dtype, "--cases",
                 str(options.cases)], path)
            if report: print(name, dtype, summary(report), flush=True)


def summary(report):
    report = report["reports"][0]
    strata = report["strata"]
    total = {key: sum(s.get(key, 0) for s in strata) for key in ("items", "outside", "open", "nan", "negative")}
    where = " ".join(f"{s['name']}:{s['outside']}" for s in strata if s["outside"])
    return f"{report['verdict']} {total} {where} {report['reason']}"


main()

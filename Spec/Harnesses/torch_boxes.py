"""Answers `lossref verify --loss ciou --dialect torchvision/complete_box_iou_loss -- python3 torch_boxes.py`.

An argument names the function that answers whatever is selected; put yours into the table, and name it.
"""
import json, sys
import numpy as np
import torch, torchvision.ops as ops
from ultralytics.utils.metrics import bbox_iou

def ultralytics(**kind): return lambda p, t: bbox_iou(p, t, xywh=False, **kind)[:, 0]
def pairs(matrix): return lambda p, t: torch.stack([matrix(p[i:i + 1], t[i:i + 1])[0, 0] for i in range(len(p))])

FUNCTIONS = {  # of boxes x1, y1, x2, y2; those named IoU answer similarities, as the framework does
    "torchvision/generalized_box_iou_loss": ops.generalized_box_iou_loss,
    "torchvision/distance_box_iou_loss": ops.distance_box_iou_loss,
    "torchvision/complete_box_iou_loss": ops.complete_box_iou_loss,
    **{f"torchvision/{f.__name__}": pairs(f) for f in (ops.box_iou, ops.generalized_box_iou, ops.distance_box_iou, ops.complete_box_iou)},
    "ultralytics/bbox_iou_IoU": ultralytics(),
    **{f"ultralytics/bbox_iou_{k}": ultralytics(**{k: True}) for k in ("GIoU", "DIoU", "CIoU")},
}
TYPES = {"f16": (torch.float16, ">i2"), "bf16": (torch.bfloat16, ">i2"), "f32": (torch.float32, ">i4"), "f64": (torch.float64, ">i8")}

def unpack(m):
    words = np.frombuffer(bytes.fromhex(m["data"]), packed)
    return torch.from_numpy(words.astype(words.dtype.newbyteorder("="))).view(dtype).reshape(m["shape"])

def pack(x): return x.contiguous().view({2: torch.int16, 4: torch.int32, 8: torch.int64}[x.itemsize]).numpy().astype(packed).tobytes().hex()

for line in sys.stdin:
    if (m := json.loads(line))["command"] == "bye": break
    answer = {"nonce": m.get("nonce"), "protocol": 1, "name": "boxes in PyTorch", "version": torch.__version__}
    if m["command"] == "select":
        function = (lambda p, t: (p + t)[:, 0]) if m["loss"] == "sum" else FUNCTIONS.get(sys.argv[1] if sys.argv[1:] else m["dialect"])
        dtype, packed = TYPES[m["dtype"]]
        answer = {"ok": True} if function else {"unsupported": "say --dialect, one of " + ", ".join(FUNCTIONS)}
    elif m["command"] == "eval":
        p, t = unpack(m["prediction"]).requires_grad_(), unpack(m["target"])
        (value := function(p, t)).sum().backward()
        answer = {"seq": m["seq"], "value": pack(value.detach()), **({"gradient": pack(p.grad)} if m["gradient"] else {})}
    print(json.dumps(answer), flush=True)

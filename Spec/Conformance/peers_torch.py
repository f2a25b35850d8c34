"""Answers the protocol by functions of torch, torchvision, Ultralytics, fvcore, MMDetection,
segmentation-models-pytorch, MONAI and kornia, as they are installed; gradients by autograd.

    lossref verify --loss huber --dialect torch/huber_loss -- python peers_torch.py torch/huber_loss

The argument names the row of the table that answers, whatever is selected.
"""
import importlib.abc
import importlib.machinery
import json
import os
import sys
import types

# A name: the loss and the dialect that it is held against ("own" is of the row's name, "native" as the
# chapter defines it), and the call: p and t are a batch's predictions and targets, a row an item.
FUNCTIONS = {
    "torch/l1_loss": ("l1", "own", "F.l1_loss(p, t, reduction='none')"),
    "torch/mse_loss": ("mse", "own", "F.mse_loss(p, t, reduction='none')"),
    "torch/smooth_l1_loss": ("smooth_l1", "own", "F.smooth_l1_loss(p, t, reduction='none')"),
    "torch/huber_loss": ("huber", "own", "F.huber_loss(p, t, reduction='none')"),
    "torch/binary_cross_entropy_with_logits": (
        "bce", "own", "F.binary_cross_entropy_with_logits(p, t, reduction='none')"),
    "torch/binary_cross_entropy": (
        "bce_probabilities", "native", "F.binary_cross_entropy(p, t, reduction='none')"),
    "torch/cross_entropy": (
        "sparse_cross_entropy", "own", "F.cross_entropy(p, t[:, 0].long(), reduction='none')"),
    "torch/cross_entropy_of_distributions": (
        "cross_entropy", "torch/cross_entropy", "F.cross_entropy(p, t, reduction='none')"),
    "torchvision/box_iou": ("iou", "own", "pairs(ops.box_iou)"),
    "torchvision/generalized_box_iou": ("giou", "own", "pairs(ops.generalized_box_iou)"),
    "torchvision/distance_box_iou": ("diou", "own", "pairs(ops.distance_box_iou)"),
    "torchvision/complete_box_iou": ("ciou", "own", "pairs(ops.complete_box_iou)"),
    "torchvision/generalized_box_iou_loss": ("giou", "own", "ops.generalized_box_iou_loss(p, t)"),
    "torchvision/distance_box_iou_loss": ("diou", "own", "ops.distance_box_iou_loss(p, t)"),
    "torchvision/complete_box_iou_loss": ("ciou", "own", "ops.complete_box_iou_loss(p, t)"),
    "torchvision/sigmoid_focal_loss": ("focal", "own", "ops.sigmoid_focal_loss(p, t)"),
    "ultralytics/bbox_iou_IoU": ("iou", "own", "bbox_iou(p, t, xywh=False)"),
    "ultralytics/bbox_iou_GIoU": ("giou", "own", "bbox_iou(p, t, xywh=False, GIoU=True)"),
    "ultralytics/bbox_iou_DIoU": ("diou", "own", "bbox_iou(p, t, xywh=False, DIoU=True)"),
    "ultralytics/bbox_iou_CIoU": ("ciou", "own", "bbox_iou(p, t, xywh=False, CIoU=True)"),
    "ultralytics/probiou": ("probiou", "own", "probiou(p, t)"),
    "ultralytics/batch_probiou": ("probiou", "own", "pairs(batch_probiou)"),
    "ultralytics/FocalLoss": ("focal", "own", "each(lambda p, t: FocalLoss()(p, t))"),
    "ultralytics/DFLoss": (
        "dfl", "mmdet/distribution_focal_loss",
        "each(lambda p, t: DFLoss(p.shape[1])(p.repeat(4, 1), t.repeat(1, 4)))"),
    "ultralytics/KeypointLoss": (
        "oks", "native",
        "each(lambda p, t: KeypointLoss(t[0, 2:3])(p[:, None], t[:, None, :2], one(t), t[:, 3:]))"),
    "fvcore/giou_loss": ("giou", "own", "fvcore.giou_loss(p, t)"),
    "fvcore/smooth_l1_loss": ("smooth_l1", "own", "fvcore.smooth_l1_loss(p, t, beta=1.0)"),
    "fvcore/sigmoid_focal_loss": ("focal", "own", "fvcore.sigmoid_focal_loss(p, t)"),
    "fvcore/sigmoid_focal_loss_star": ("focal_star", "own", "fvcore.sigmoid_focal_loss_star(p, t)"),
    "mmdet/iou_loss_linear": ("iou", "own", "mmdet.iou_loss(p, t, mode='linear', reduction='none')"),
    "mmdet/iou_loss_square": ("iou", "own", "mmdet.iou_loss(p, t, mode='square', reduction='none')"),
    "mmdet/iou_loss_log": ("iou", "own", "mmdet.iou_loss(p, t, mode='log', reduction='none')"),
    "mmdet/giou_loss": ("giou", "own", "mmdet.iou_losses.giou_loss(p, t, reduction='none')"),
    "mmdet/diou_loss": ("diou", "own", "mmdet.iou_losses.diou_loss(p, t, reduction='none')"),
    "mmdet/ciou_loss": ("ciou", "own", "mmdet.iou_losses.ciou_loss(p, t, reduction='none')"),
    "mmdet/eiou_loss": (
        "extended_iou", "own", "mmdet.iou_losses.eiou_loss(p, t, reduction='none')"),
    "mmdet/siou_loss": ("siou", "own", "mmdet.iou_losses.siou_loss(p, t, reduction='none')"),
    "mmdet/bounded_iou_loss": (
        "bounded_iou", "native", "mmdet.bounded_iou_loss(p, t, eps=0, reduction='none').sum(1)"),
    "mmdet/l1_loss": ("l1", "native", "mmdet.l1_loss(p, t, reduction='none')"),
    "mmdet/smooth_l1_loss": ("smooth_l1", "native", "mmdet.smooth_l1_loss(p, t, reduction='none')"),
    "mmdet/balanced_l1_loss": (
        "balanced_l1", "own", "mmdet.balanced_l1_loss(p, t, reduction='none')"),
    "mmdet/GHMR": (
        "ghm_r", "own",
        "each(lambda p, t: mmdet.GHMR(reduction='none')(p, t, torch.ones_like(p)))"),
    "mmdet/sigmoid_focal_loss": (
        "focal", "own", "mmdet.focal_loss.py_sigmoid_focal_loss(p, t, reduction='none')"),
    "mmdet/distribution_focal_loss": (
        "dfl", "own", "mmdet.gfocal_loss.distribution_focal_loss(p, t[:, 0], reduction='none')"),
    "mmdet/dice_loss": (
        "dice", "native",
        "mmdet.dice_loss.dice_loss(p, t, eps=1.0, naive_dice=True, reduction='none')"),
    "segmentation_models_pytorch/SoftBCEWithLogitsLoss": (
        "bce", "native", "smp.SoftBCEWithLogitsLoss(reduction='none')(p, t)"),
    "segmentation_models_pytorch/SoftCrossEntropyLoss": (
        "sparse_cross_entropy", "native",
        "smp.SoftCrossEntropyLoss(reduction='none', smooth_factor=0.0)(p, t[:, 0].long())"),
    "segmentation_models_pytorch/FocalLoss": (
        "focal", "native", "each(smp.FocalLoss('binary', alpha=0.25))"),
    "segmentation_models_pytorch/DiceLoss": (
        "dice", "native", "each(smp.DiceLoss('binary', from_logits=False, smooth=0.5))"),
    "segmentation_models_pytorch/JaccardLoss": (
        "soft_iou", "native", "each(smp.JaccardLoss('binary', from_logits=False, smooth=1e-15))"),
    "monai/FocalLoss": (
        "focal", "native", "monai.FocalLoss(alpha=0.25, reduction='none')(p, t)"),
    "monai/DiceLoss": (
        "dice", "native",
        "monai.DiceLoss(smooth_nr=1.0, smooth_dr=1.0, reduction='none')(p[:, None], t[:, None])"),
    "monai/DiceLoss_soft_label": (
        "dice", "native",
        "monai.DiceLoss(smooth_nr=1.0, smooth_dr=1.0, soft_label=True, reduction='none')"
        "(p[:, None], t[:, None])"),
    "monai/BoxGIoULoss": ("giou", "native", "monai.giou_loss.BoxGIoULoss(reduction='none')(p, t)"),
    "kornia/binary_focal_loss_with_logits": (
        "focal", "native", "kornia.binary_focal_loss_with_logits(p, t, 0.25, 2.0)"),
}


class MissingOperators(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stands in for the compiled operators that mmcv-lite lacks; no loss here calls one."""

    def find_spec(self, name, path, target=None):
        if name == "mmcv.ops" or name.startswith("mmcv.ops."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        def operator(name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (), {})

        module = types.ModuleType(spec.name)
        module.__getattr__ = operator
        return module

    def exec_module(self, module):
        pass


def mmdet_losses():
    """MMDetection's losses without its models, which need the compiled operators."""
    sys.meta_path.insert(0, MissingOperators())
    import mmdet

    models = types.ModuleType("mmdet.models")
    models.__path__ = [os.path.join(mmdet.__path__[0], "models")]
    sys.modules["mmdet.models"] = models
    from mmdet.models import losses

    names = {name: getattr(losses, name) for name in dir(losses)}
    modules = {
        name: importlib.import_module("mmdet.models.losses." + name)
        for name in ("dice_loss", "focal_loss", "gfocal_loss")
    }
    boxes = importlib.import_module("mmdet.models.losses.iou_loss")
    return types.SimpleNamespace(**(names | modules), iou_losses=boxes), mmdet.__version__


def load(framework):
    """What a framework's rows name, and its version."""
    if framework == "torch":
        return {}, torch.__version__
    if framework == "torchvision":
        import torchvision

        return {"ops": torchvision.ops}, torchvision.__version__
    if framework == "ultralytics":
        import ultralytics
        from ultralytics.utils import loss, metrics

        return vars(metrics) | vars(loss), ultralytics.__version__
    if framework == "fvcore":
        import fvcore.nn

        return {"fvcore": fvcore.nn}, fvcore.__version__
    if framework == "mmdet":
        losses, version = mmdet_losses()
        return {"mmdet": losses}, version
    if framework == "segmentation_models_pytorch":
        import segmentation_models_pytorch as smp

        return {"smp": smp.losses}, smp.__version__
    if framework == "monai":
        import monai.losses

        return {"monai": monai.losses}, monai.__version__
    import kornia

    return {"kornia": kornia.losses}, kornia.__version__


if sys.argv[1:] == ["--list"]:
    print(json.dumps(FUNCTIONS))
    sys.exit()

import numpy as np
import torch
import torch.nn.functional as F

TYPES = {
    "f16": (torch.float16, ">i2"), "bf16": (torch.bfloat16, ">i2"),
    "f32": (torch.float32, ">i4"), "f64": (torch.float64, ">i8"),
}
name = sys.argv[1]
expression = FUNCTIONS[name][2]
names, version = load(name.split("/")[0])


def function(p, t):
    def each(f):
        return torch.stack([f(p[i : i + 1], t[i : i + 1]).reshape(()) for i in range(len(p))])

    def pairs(matrix):
        return each(matrix)

    def one(x):
        return torch.ones(1, 1, dtype=x.dtype)

    known = {"torch": torch, "F": F, "each": each, "pairs": pairs, "one": one, "p": p, "t": t}
    return eval(expression, names | known).reshape(len(p))


def unpack(message):
    if isinstance(message["data"], list):
        return torch.tensor(message["data"], dtype=dtype).reshape(message["shape"])
    words = np.frombuffer(bytes.fromhex(message["data"]), packed)
    native = words.astype(words.dtype.newbyteorder("="))
    return torch.from_numpy(native).view(dtype).reshape(message["shape"])


def pack(x):
    words = {2: torch.int16, 4: torch.int32, 8: torch.int64}[dtype.itemsize]
    return x.to(dtype).contiguous().view(words).numpy().astype(packed).tobytes().hex()


def answer(m):
    global selected, dtype, packed
    if m["command"] == "hello":
        return {"nonce": m["nonce"], "protocol": 1, "name": name, "version": version,
                "language": "Python"}
    if m["command"] == "select":
        selected = (lambda p, t: (p + t)[:, 0]) if m["loss"] == "sum" else function
        dtype, packed = TYPES[m["dtype"]]
        return {"ok": True}
    p, t = unpack(m["prediction"]).requires_grad_(), unpack(m["target"])
    try:
        value = selected(p, t)
    except (RuntimeError, ValueError, IndexError, AssertionError) as error:
        return {"seq": m["seq"], "error": str(error).splitlines()[0]}
    gradient = {}
    if m["gradient"]:
        value.sum().backward()
        gradient = {"gradient": pack(p.grad)}
    return {"seq": m["seq"], "value": pack(value.detach()), **gradient}


for line in sys.stdin:
    message = json.loads(line)
    if message["command"] == "bye":
        break
    print(json.dumps(answer(message)), flush=True)

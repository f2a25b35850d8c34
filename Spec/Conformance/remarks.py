"""What looking at the items that do not conform has shown, function by function."""

CENTRES = """\
The formula is the loss's, but centres are half the sums of corners, and those round: at coordinates of
20,000 beside boxes of a few pixels the centre is known to a thousandth. The chapter takes differences of
corners, which are exact there. All else conforms, and in float64 all does."""

LOGITS = """\
The formula is the loss's, but it subtracts what is nearly equal: in the value numbers as large as the logit, in
the gradient σ(x) and the target. What is left of a well classified element is off by about an ulp of the
logit, or of 1; that is much only against the small loss that it is the loss of."""

FOCAL = LOGITS + """ The weight (1 − p)^γ, from p itself, does the same."""

SOFT = """\
Where targets are 0 or 1 it is the loss. At soft targets, between 0 and 1, it is another function:"""

SOFTMAX = """\
The value conforms. The gradient is p − t of the softmax: where the target's class leads, it is off by an
ulp of 1."""

PROBIOU = """\
The function is the dialect's. Where boxes are so far apart that the gradient is about 1e-43, a subnormal
number, reverse mode underflows on the way and gives 0."""

TIES = """\
Where an edge is shared far from the origin, two things come together: TensorFlow gives the whole slope of a tie to
its first argument, which is right, and centres as half the sums of corners round, as the formula is written."""

FLOOR = """\
Where an area is below 1e-6, `bbox_overlaps` raises it to that, of the union and of the enclosing box. The
catalog's dialect is the loss without that floor, which boxes in pixels never reach; all others conform."""

REMARKS = {
    "mmdet/iou_loss_linear": FLOOR,
    "mmdet/iou_loss_square": FLOOR,
    "mmdet/iou_loss_log": FLOOR,
    "mmdet/giou_loss": FLOOR,
    "mmdet/siou_loss": """\
Where a side of the enclosing box is below 1e-7 it is raised to that, and the offset between the centres has 1e-7
added, so that boxes of such a size see a distance that is not there. Boxes in pixels conform.""",
    "torch/binary_cross_entropy_with_logits": LOGITS,
    "torch/cross_entropy": SOFTMAX,
    "torchvision/distance_box_iou": CENTRES,
    "torchvision/complete_box_iou": CENTRES,
    "torchvision/distance_box_iou_loss": CENTRES,
    "torchvision/complete_box_iou_loss": CENTRES,
    "torchvision/sigmoid_focal_loss": FOCAL,
    "ultralytics/bbox_iou_DIoU": CENTRES,
    "ultralytics/bbox_iou_CIoU": CENTRES,
    "ultralytics/probiou": PROBIOU,
    "ultralytics/batch_probiou": PROBIOU,
    "ultralytics/FocalLoss": FOCAL,
    "ultralytics/DFLoss": """\
It is MMDetection's function but for targets in the last hundredth before the last bin: those are clamped to
bins − 1.01, as the chapter says, and differ.""",
    "ultralytics/KeypointLoss": """\
It is the loss of an area that is larger by 1e-9, which counts where the area is that small.""",
    "fvcore/sigmoid_focal_loss": FOCAL,
    "mmdet/diou_loss": CENTRES,
    "mmdet/ciou_loss": CENTRES,
    "mmdet/bounded_iou_loss": CENTRES.replace(" All else conforms, and in float64 all does.", ""),
    "mmdet/eiou_loss": """\
The same formula as the chapter's. Its gradient in one edge is a difference of terms that are a thousand times
as large, which reverse mode sums in another order than the band expects: two very long boxes that cross.""",
    "mmdet/balanced_l1_loss": """\
The formula is the loss's, α/b (b d + 1) ln(b d + 1) − α d, whose two parts are nearly equal for small d: below
about 1e-3 the value is noise of 1e-9, and often negative; ln(b d + 1) without log1p is 0 below 1e-8.""",
    "mmdet/GHMR": """\
The formula is the loss's, √(d² + μ²) − μ, which subtracts what is nearly equal for d far below μ: it is off
by an ulp of μ. The chapter divides d² by the sum.""",
    "mmdet/sigmoid_focal_loss": FOCAL,
    "segmentation_models_pytorch/SoftBCEWithLogitsLoss": LOGITS,
    "segmentation_models_pytorch/SoftCrossEntropyLoss": SOFTMAX,
    "segmentation_models_pytorch/FocalLoss": SOFT + """\

1 − p is taken as 1 − e^−BCE, which is the probability of the other class at 0 and at 1 alone.""",
    "segmentation_models_pytorch/DiceLoss": SOFT + """\

the overlap is the half of Σ p + Σ t − Σ |p − t|, of which the gradient at p = t is another one, too. A region
without foreground costs nothing, whatever is predicted.""",
    "segmentation_models_pytorch/JaccardLoss": SOFT + """\

the overlap is the half of Σ p + Σ t − Σ |p − t|, of which the gradient at p = t is another one, too. A region
without foreground costs nothing, whatever is predicted.""",
    "monai/FocalLoss": SOFT + """
(1 − p)^γ is taken of σ(−x (2t − 1)).""",
    "monai/DiceLoss_soft_label": SOFT + """\

the overlap is the half of Σ p + Σ t − Σ |p − t|, of which the gradient at p = t is another one, too.""",
    "monai/BoxGIoULoss": """\
It adds float32's epsilon, 1.2e-7, to the union and to the enclosing area, and rounds to float32 whatever it is
given: another function than the chapter's for boxes of a hundredth, the same for boxes in pixels.""",
    "kornia/binary_focal_loss_with_logits": SOFT + """\

t and 1 − t weigh two losses, each with its own (1 − p)^γ, where the chapter takes one weight of both.""",
    "keras/compute_ciou": TIES + " Given float64, it computes in float32.",
    "keras/keras_cv_CIoULoss": TIES,
    "keras/LogCosh": """\
The formula is the loss's, d + softplus(−2d) − ln 2, which is off by an ulp of ln 2 where d is small; below 1e-4
nothing of the value is left, and it may be negative.""",
    "keras/BinaryCrossentropy": LOGITS,
    "keras/BinaryCrossentropy_of_probabilities": """\
Probabilities are clipped at 1 − 1e-7, which is 1 − 2⁻²³ in float32: a certain miss of a target of 0 costs
ln 2²³ = 15.94, one of a target of 1 costs −ln 1e-7 = 16.12.""",
    "keras/CategoricalCrossentropy_of_logits": """\
The value conforms. The gradient is softmax(x) − t, the value's derivative where the targets sum to 1, as
TensorFlow asks for; elsewhere that is softmax(x) Σ t − t.""",
    "keras/BinaryFocalCrossentropy": FOCAL,
    "keras/SparseCategoricalCrossentropy": SOFTMAX,
    "optax/huber_loss": """\
The value conforms. The gradient is summed as δ + (d − δ), which is off by an ulp of δ: differences below 1e-7
have none.""",
    "optax/log_cosh": """\
The formula is the loss's, logaddexp(d, −d) − ln 2, which is off by an ulp of ln 2 where d is small; below 1e-4
nothing of the value is left, and it may be negative.""",
    "optax/softmax_cross_entropy_with_integer_labels": """\
logsumexp(x) − x_t is taken of the logits as they are: where all are large it is off by an ulp of them, and the
gradient, p − 1 at the target, by an ulp of 1.""",
}

NOT_JUDGED = """\
## What is not judged

- Functions of batches: MMDetection's GHM losses of classes, `ultralytics.utils.loss.VarifocalLoss`, everything
  whose value is no sum of items'. `GHMR` is asked one element at a time, where its weights are 1.
- `kornia.losses.dice_loss`, `focal_loss`, `tversky_loss`, `lovasz_*`: a softmax or an averaging over classes and
  pixels is inside, for which the catalog has no item. `optax.losses.dice_loss` without its softmax
  tests values while it is traced, and fails under `jax.jit` and `jax.grad`.
- MMDetection's `QualityFocalLoss`, `GaussianFocalLoss`, `VarifocalLoss`, `SeesawLoss`: not in the catalog.
- MMRotate, MMPose, MMYOLO and PaddleDetection have dialects in the catalog, but no packages for these versions of
  PyTorch.
- What functions of distributions over bins are named: they fail on rows of a single bin, which `lossref identify`
  asks for, too.
- Reductions, class weights and label smoothing: every function is asked without.
""".splitlines()

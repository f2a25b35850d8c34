"""Answers the protocol by functions of Keras (on TensorFlow), KerasCV and optax, as they are installed;
gradients by tf.GradientTape and by jax.grad.

    lossref verify --loss huber --dialect keras/Huber -- python peers_tensorflow.py keras/Huber

The argument names the row of the table that answers, whatever is selected.
"""
import json
import os
import sys
import types

# A name: the loss and the dialect that it is held against ("own" is of the row's name, "native" as the
# chapter defines it), and the call. Keras: p and t are a batch's predictions and targets, a row an
# item. optax: they are one item's.
FUNCTIONS = {
    "keras/compute_ciou": ("ciou", "own", "compute_ciou(p, t, 'xyxy')"),
    "keras/MeanAbsoluteError": ("l1", "own", "losses.MeanAbsoluteError(reduction='none')(t, p)"),
    "keras/MeanSquaredError": ("mse", "own", "losses.MeanSquaredError(reduction='none')(t, p)"),
    "keras/Huber": ("huber", "own", "losses.Huber(reduction='none')(t, p)"),
    "keras/LogCosh": ("log_cosh", "native", "losses.LogCosh(reduction='none')(t, p)"),
    "keras/BinaryCrossentropy": (
        "bce", "own", "losses.BinaryCrossentropy(from_logits=True, reduction='none')(t, p)"),
    "keras/BinaryCrossentropy_of_probabilities": (
        "bce_probabilities", "keras/BinaryCrossentropy",
        "losses.BinaryCrossentropy(reduction='none')(t, p)"),
    "keras/BinaryFocalCrossentropy": (
        "focal", "native",
        "losses.BinaryFocalCrossentropy(apply_class_balancing=True, from_logits=True, "
        "reduction='none')(t, p)"),
    "keras/CategoricalCrossentropy": (
        "cross_entropy_probabilities", "own",
        "losses.CategoricalCrossentropy(reduction='none')(t, p)"),
    "keras/CategoricalCrossentropy_of_logits": (
        "cross_entropy", "keras/CategoricalCrossentropy",
        "losses.CategoricalCrossentropy(from_logits=True, reduction='none')(t, p)"),
    "keras/SparseCategoricalCrossentropy": (
        "sparse_cross_entropy", "own",
        "losses.SparseCategoricalCrossentropy(from_logits=True, reduction='none')(t[:, 0], p)"),
    "keras/Dice": ("dice", "own", "losses.Dice(axis=1, reduction='none')(t, p)"),
    "keras/keras_cv_IoULoss": (
        "iou", "own",
        "cv.IoULoss('xyxy', mode='linear', axis='no_reduction', reduction='none')(t, p)"),
    "keras/keras_cv_GIoULoss": (
        "giou", "own", "cv.GIoULoss('xyxy', axis='no_reduction', reduction='none')(t, p)"),
    "keras/keras_cv_CIoULoss": ("ciou", "own", "cv.CIoULoss('xyxy', reduction='none')(t, p)"),
    "optax/squared_error": ("mse", "own", "optax.squared_error(p, t)"),
    "optax/l2_loss": ("mse", "native", "2 * optax.l2_loss(p, t)"),
    "optax/huber_loss": ("huber", "own", "optax.huber_loss(p, t)"),
    "optax/log_cosh": ("log_cosh", "own", "optax.log_cosh(p, t)"),
    "optax/sigmoid_binary_cross_entropy": (
        "bce", "own", "optax.sigmoid_binary_cross_entropy(p, t)"),
    "optax/sigmoid_focal_loss": ("focal", "own", "optax.sigmoid_focal_loss(p, t)"),
    "optax/softmax_cross_entropy": ("cross_entropy", "own", "optax.softmax_cross_entropy(p, t)"),
    "optax/safe_softmax_cross_entropy": (
        "cross_entropy", "native", "optax.safe_softmax_cross_entropy(p, t)"),
    "optax/softmax_cross_entropy_with_integer_labels": (
        "sparse_cross_entropy", "own",
        "optax.softmax_cross_entropy_with_integer_labels(p, t[0].astype(int))"),
}

if sys.argv[1:] == ["--list"]:
    print(json.dumps(FUNCTIONS))
    sys.exit()

import ml_dtypes
import numpy as np

TYPES = {
    "f16": np.dtype("float16"), "bf16": np.dtype(ml_dtypes.bfloat16),
    "f32": np.dtype("float32"), "f64": np.dtype("float64"),
}
name = sys.argv[1]
MOST = 256


def keras_functions():
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf
    from keras.utils.bounding_boxes import compute_ciou

    names = {"losses": keras.losses, "compute_ciou": compute_ciou}
    version = keras.__version__
    if "keras_cv" in name:
        # Its data sets, which no loss needs, need a package of that name.
        sys.modules.setdefault(
            "tensorflow_datasets", types.ModuleType("tensorflow_datasets"))
        import keras_cv

        names["cv"] = keras_cv.losses
        version = f"{keras_cv.__version__} on Keras {version}"

    def evaluator(expression, dtype):
        keras.config.set_floatx(dtype.name)

        def evaluate(p, t):
            p, t = tf.constant(p), tf.constant(t)
            with tf.GradientTape() as tape:
                tape.watch(p)
                value = tf.reshape(eval(expression, names | {"p": p, "t": t}), [len(p)])
            return value.numpy(), tape.gradient(value, p).numpy()

        return evaluate

    return evaluator, version


def optax_functions():
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)

    def evaluator(expression, dtype):
        def one(p, t):
            return jnp.reshape(eval(expression, {"optax": optax, "p": p, "t": t}), ())

        both = jax.jit(jax.vmap(jax.value_and_grad(one)))

        def evaluate(p, t):
            # Batches of one length are compiled once.
            filled = [np.concatenate([x, np.repeat(x[:1], MOST - len(x), 0)]) for x in (p, t)]
            value, gradient = both(*filled)
            return np.asarray(value)[: len(p)], np.asarray(gradient)[: len(p)]

        return evaluate

    return evaluator, optax.__version__


evaluator, version = (keras_functions if name.startswith("keras/") else optax_functions)()


def unpack(message):
    if isinstance(message["data"], list):
        return np.array(message["data"], dtype).reshape(message["shape"])
    words = np.frombuffer(bytes.fromhex(message["data"]), f">u{dtype.itemsize}")
    return words.astype(f"u{dtype.itemsize}").view(dtype).reshape(message["shape"])


def pack(x):
    words = np.ascontiguousarray(x.astype(dtype)).view(f"u{dtype.itemsize}")
    return words.astype(f">u{dtype.itemsize}").tobytes().hex()


def answer(m):
    global selected, dtype
    if m["command"] == "hello":
        return {"nonce": m["nonce"], "protocol": 1, "name": name, "version": version,
                "language": "Python", "maxBatch": MOST}
    if m["command"] == "select":
        dtype = TYPES[m["dtype"]]
        expression = "(p + t)[0]" if name.startswith("optax/") else "(p + t)[:, 0]"
        selected = evaluator(expression if m["loss"] == "sum" else FUNCTIONS[name][2], dtype)
        return {"ok": True}
    value, gradient = selected(unpack(m["prediction"]), unpack(m["target"]))
    gradient = {"gradient": pack(gradient)} if m["gradient"] else {}
    return {"seq": m["seq"], "value": pack(value), **gradient}


for line in sys.stdin:
    message = json.loads(line)
    if message["command"] == "bye":
        break
    print(json.dumps(answer(message)), flush=True)

"""Answers `lossref verify --loss ciou --dialect keras/compute_ciou -- python3 keras_losses.py`.
Put your function in place of one, and say `native` at the end to have it held against the chapter."""
import json, os, sys
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras, tensorflow as tf
import numpy as np
from keras.utils.bounding_boxes import compute_ciou

def keras_loss(kind, **arguments): return lambda t, p: kind(reduction="none", **arguments)(t, p)

FUNCTIONS = {  # of the target and the prediction, rows of both; one value a row
    "ciou": lambda t, p: compute_ciou(p, t, "xyxy"),  # answers the similarity, as Keras does
    "l1": keras_loss(keras.losses.MeanAbsoluteError), "mse": keras_loss(keras.losses.MeanSquaredError),
    "huber": keras_loss(keras.losses.Huber), "log_cosh": keras_loss(keras.losses.LogCosh),
    "bce": keras_loss(keras.losses.BinaryCrossentropy, from_logits=True), "bce_probabilities": keras_loss(keras.losses.BinaryCrossentropy),
    "cross_entropy_probabilities": keras_loss(keras.losses.CategoricalCrossentropy),
    "sparse_cross_entropy": keras_loss(keras.losses.SparseCategoricalCrossentropy, from_logits=True),
    "dice": keras_loss(keras.losses.Dice, axis=1), "sum": lambda t, p: (p + t)[:, 0],
}
TYPES = {"f16": np.dtype("f2"), "f32": np.dtype("f4"), "f64": np.dtype("f8")}

def unpack(m):  # classes are indices, in decimals
    data = bytes.fromhex(m["data"]) if isinstance(m["data"], str) else np.array(m["data"], dtype.newbyteorder(">"))
    return tf.constant(np.frombuffer(data, dtype.newbyteorder(">")).astype(dtype).reshape(m["shape"]))

for line in sys.stdin:
    if (m := json.loads(line))["command"] == "bye": break
    answer = {"nonce": m.get("nonce"), "protocol": 1, "name": "Keras", "version": keras.__version__, "losses": list(FUNCTIONS)[:-1]}
    if m["command"] == "select":
        function, dtype = FUNCTIONS.get(m["loss"]), TYPES.get(m["dtype"])
        keras.config.set_floatx(dtype.name)
        isOffered = function and dtype and (m["loss"] == "sum" or m["dialect"].split("/")[0] in ["keras", "shipped", *sys.argv[1:]])
        answer = {"ok": True} if isOffered else {"unsupported": "Keras's losses in f16, f32, f64: say --dialect keras"}
    elif m["command"] == "eval":
        p, t = unpack(m["prediction"]), unpack(m["target"])
        with tf.GradientTape() as tape: tape.watch(p); value = function(t, p)
        value, gradient = (x.numpy().astype(dtype.newbyteorder(">")).tobytes().hex() for x in (value, tape.gradient(value, p)))
        answer = {"seq": m["seq"], "value": value, **({"gradient": gradient} if m["gradient"] else {})}
    print(json.dumps(answer), flush=True)

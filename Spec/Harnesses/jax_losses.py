"""Answers `lossref verify --dialect optax -- python3 jax_losses.py`, with gradients by jax.grad.

Put your function in place of one, and say `native` at the end to have it held against the chapter.
"""
import json, sys
import numpy as np
import jax, jax.numpy as jnp, optax
jax.config.update("jax_enable_x64", True)

FUNCTIONS = {  # of one item: the prediction and the target, as the chapters order them
    "mse": lambda p, t: optax.squared_error(p, t)[0], "huber": lambda p, t: optax.huber_loss(p, t)[0],
    "log_cosh": lambda p, t: optax.log_cosh(p, t)[0],
    "bce": lambda p, t: optax.sigmoid_binary_cross_entropy(p, t)[0],
    "focal": lambda p, t: optax.sigmoid_focal_loss(p, t)[0],
    "cross_entropy": optax.softmax_cross_entropy,
    "sparse_cross_entropy": lambda p, t: optax.softmax_cross_entropy_with_integer_labels(p, t[0].astype(int)),
    "sum": lambda p, t: (p + t)[0],
}
TYPES = {"f16": jnp.dtype("float16"), "bf16": jnp.dtype("bfloat16"), "f32": jnp.dtype("float32"), "f64": jnp.dtype("float64")}
MOST = 256  # Items of a batch; smaller ones are filled up, so that nothing is compiled again.

def unpack(m):  # classes are indices, in decimals
    bits = lambda: np.frombuffer(bytes.fromhex(m["data"]), packed).astype(packed[1:]).view(dtype)
    x = (np.array(m["data"], dtype) if isinstance(m["data"], list) else bits()).reshape(m["shape"])
    return np.concatenate([x, np.repeat(x[:1], MOST - len(x), 0)])

def pack(x): return np.asarray(x, dtype).view(packed[1:]).astype(packed).tobytes().hex()

for line in sys.stdin:
    if (m := json.loads(line))["command"] == "bye": break
    answer = {"nonce": m.get("nonce"), "protocol": 1, "name": "optax", "version": optax.__version__, "maxBatch": MOST, "losses": list(FUNCTIONS)[:-1]}
    if m["command"] == "select":
        (function, dtype), packed = (FUNCTIONS.get(m["loss"]), TYPES[m["dtype"]]), f">u{TYPES[m['dtype']].itemsize}"
        isOffered = function and (m["loss"] == "sum" or m["dialect"].split("/")[0] in ["optax", "shipped", *sys.argv[1:]])
        answer = {"ok": True} if isOffered else {"unsupported": "the losses of optax: say --dialect optax"}
        if function: both = jax.jit(jax.vmap(jax.value_and_grad(function)))
    elif m["command"] == "eval":
        (value, gradient), n = both(unpack(m["prediction"]), unpack(m["target"])), m["prediction"]["shape"][0]
        answer = {"seq": m["seq"], "value": pack(value[:n]), **({"gradient": pack(gradient[:n])} if m["gradient"] else {})}
    print(json.dumps(answer), flush=True)

"""GIoU and CIoU in NumPy for the tests: `boxes.py STYLE [MUTANT]`.

Styles are correct: naive, reordered, fused. Mutants are wrong by what their name says; so is
`epsilon SIZE on PLACE`, of which the places are union, enclosing, union and enclosing, sides, heights.
"""
import json, sys
import numpy as np

STYLE = sys.argv[1]
MUTANT = sys.argv[2] if len(sys.argv) > 2 else ""
TYPES = {"f16": np.dtype("f2"), "f32": np.dtype("f4"), "f64": np.dtype("f8")}
EPSILON = 1e-6
PLACE = MUTANT.partition(" on ")[2]
SIZE = float(MUTANT.split()[1]) if PLACE else 0.0


def added(x, *places):
    """x, and the epsilon if its place is among these."""
    return x + x.dtype.type(SIZE) if PLACE in places else x


def fma(a, b, c):
    """a b + c, rounded once or nearly so."""
    if STYLE != "fused":
        return a * b + c
    wide = np.longdouble
    return (a.astype(wide) * b.astype(wide) + c.astype(wide)).astype(a.dtype)


def parts(p, t):
    low = np.minimum if MUTANT == "swapped" else np.maximum
    one = p.dtype.type(1 if MUTANT == "width" else 0)
    w, h = (p[:, 2:] - p[:, :2] + one).T
    W, H = (t[:, 2:] - t[:, :2] + one).T
    w, W, h, H = added(w, "sides"), added(W, "sides"), *(added(x, "sides", "heights") for x in (h, H))
    high = np.maximum if MUTANT == "swapped min" else np.minimum
    spans = high(p[:, 2:], t[:, 2:]) - low(p[:, :2], t[:, :2]) + one
    if MUTANT != "clamp":
        spans = np.maximum(spans, 0)
    iw, ih = spans.T
    cw, ch = (np.maximum(p[:, 2:], t[:, 2:]) - np.minimum(p[:, :2], t[:, :2]) + one).T
    I = iw * ih
    U = fma(w, h, W * H) - I if STYLE != "reordered" else w * h - (I - W * H)
    if MUTANT == "epsilon":
        U = U + p.dtype.type(EPSILON)
    inner = np.concatenate([p[:, :2] > t[:, :2], p[:, 2:] < t[:, 2:]], 1)
    if MUTANT == "swapped":
        inner[:, :2] = ~inner[:, :2]
    if MUTANT == "swapped min":
        inner[:, 2:] = ~inner[:, 2:]
    hit = ((iw > 0) & (ih > 0))[:, None]
    dA = np.stack([-h, -w, h, w], 1)
    dI = np.where(inner & hit, np.stack([-ih, -iw, ih, iw], 1), 0)
    return w, h, W, H, cw, ch, I, U, inner, dI, dA - dI


UNION, ENCLOSING = ("union", "union and enclosing"), ("enclosing", "union and enclosing")


def column(x):
    return x[:, None]


def giou(p, t):
    w, h, W, H, cw, ch, I, U, inner, dI, dU = parts(p, t)
    C = cw * ch
    dC = np.where(inner, 0, np.stack([-ch, -cw, ch, cw], 1))
    i, u, c = column(I), column(U), column(C)
    if STYLE == "reordered":
        value = (1 - I / U) + (1 - U / C)
        gradient = (i / u * dU - dI) / u + (u / c * dC - dU) / c
    else:
        U_, u_ = added(U, *UNION), added(u, *UNION)
        C_, c_ = added(C, *ENCLOSING), added(c, *ENCLOSING)
        value = 1 - I / U_ + (C - U) / C_
        gradient = -fma(dI, u_, -i * dU) / (u_ * u_) + fma(u, dC, -dU * c) / (c_ * c_)
    if MUTANT == "denominator":
        value = 1 - I / U + (C - U) / U
    return value, gradient


def ciou(p, t):
    w, h, W, H, cw, ch, I, U, inner, dI, dU = parts(p, t)
    half = p.dtype.type(0.5)
    if STYLE == "reordered":
        d = (p[:, :2] - t[:, :2]) * half + (p[:, 2:] - t[:, 2:]) * half
    else:
        d = (p[:, :2] + p[:, 2:] - t[:, :2] - t[:, 2:]) * half
    dx, dy = d.T
    U = added(U, *UNION)
    rho = fma(dx, dx, dy * dy)
    c2 = added(fma(cw, cw, ch * ch), *ENCLOSING)
    scale = p.dtype.type(4 / np.pi ** 2)
    cross = W * h - w * H
    turn = np.arctan(cross / fma(H, h, W * w))
    v = scale * turn * turn
    iou = I / U
    miss = 1 - iou
    with np.errstate(invalid="ignore"):
        alpha = np.where(v > 0, v / (miss + v), 0).astype(p.dtype)
    value = miss + rho / c2 + alpha * v
    i, u, r, c = column(I), column(U), column(rho), column(c2)
    dc = np.where(inner, 0, np.stack([-2 * cw, -2 * ch, 2 * cw, 2 * ch], 1))
    dr = np.stack([dx, dy, dx, dy], 1)
    size = fma(w, w, h * h)
    slope = 2 * scale * turn * alpha / size
    dv = np.stack([h * slope, -w * slope, -h * slope, w * slope], 1)
    gradient = -fma(dI, u, -i * dU) / (u * u) + fma(dr, c, -r * dc) / (c * c) + dv
    if MUTANT == "attached":
        whole = miss + v
        dmiss = -(dI * u - i * dU) / (u * u)
        base = np.divide(dv, column(alpha), out=np.zeros_like(dv), where=column(alpha) > 0)
        gradient = gradient + column(v / whole) * (base - column(alpha) * (dmiss + base))
    return value, gradient


def answer_of(function):
    def call(p, t):
        value, gradient = function(p, t)
        if MUTANT == "sign":
            gradient = -gradient
        if MUTANT == "relative":
            gradient = gradient * p.dtype.type(1 + (1e-4 if p.dtype == np.float32 else 1e-6))
        if MUTANT == "stale":
            value[7::8], gradient[7::8] = value[6::8][: len(value[7::8])], gradient[6::8][: len(value[7::8])]
        if MUTANT == "tail":
            tail = len(value) // 8 * 8
            value[tail:], gradient[tail:] = 0, 0
        if MUTANT == "gradient of the batch's mean":
            gradient = gradient / p.dtype.type(len(p))
        if MUTANT == "reduction":
            value = np.full_like(value, value.mean())
        return value, gradient

    return call


FUNCTIONS = {"giou": answer_of(giou), "ciou": answer_of(ciou), "sum": lambda p, t: ((p + t)[:, 0], p)}


def unpack(m):
    big = dtype.newbyteorder(">")
    return np.frombuffer(bytes.fromhex(m["data"]), big).astype(dtype).reshape(m["shape"])


np.seterr(all="ignore")
for line in sys.stdin:
    m = json.loads(line)
    if m["command"] == "hello":
        out = {"nonce": m["nonce"], "protocol": 1, "name": f"boxes {STYLE} {MUTANT}", "maxBatch": 509}
    elif m["command"] == "select":
        function, dtype = FUNCTIONS.get(m["loss"]), TYPES.get(m["dtype"])
        out = {"ok": True} if function and dtype else {"unsupported": "giou and ciou in f16, f32, f64"}
    elif m["command"] == "bye":
        break
    else:
        numbers = function(unpack(m["prediction"]), unpack(m["target"]))
        big = dtype.newbyteorder(">")
        value, gradient = (x.astype(dtype).astype(big).tobytes().hex() for x in numbers)
        out = {"seq": m["seq"], "value": value}
        if m["gradient"]:
            out["gradient"] = gradient
    print(json.dumps(out), flush=True)

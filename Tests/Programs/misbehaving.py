"""A GIoU program without NumPy that misbehaves as its argument says, for the tests.

Its numbers are computed in double precision and rounded to binary32 at the end.
"""
import json, os, random, struct, sys, time

WAY = sys.argv[1]


def half(x):
    try:
        return struct.unpack(">e", struct.pack(">e", x))[0]
    except OverflowError:
        return float("inf") if x > 0 else float("-inf")


def pack(numbers):
    if WAY == "half":
        numbers = [half(x) for x in numbers]
    if WAY == "flushes":
        numbers = [0.0 if abs(x) < 2.0**-126 else x for x in numbers]
    return b"".join(struct.pack(">f", x) for x in numbers).hex()


def unpack(message):
    data = bytes.fromhex(message["data"])
    flat = [x for (x,) in struct.iter_unpack(">f", data)]
    width = message["shape"][1]
    return [flat[i : i + width] for i in range(0, len(flat), width)]


def giou(p, t):
    w, h, W, H = p[2] - p[0], p[3] - p[1], t[2] - t[0], t[3] - t[1]
    iw = max(0.0, min(p[2], t[2]) - max(p[0], t[0]))
    ih = max(0.0, min(p[3], t[3]) - max(p[1], t[1]))
    cw, ch = max(p[2], t[2]) - min(p[0], t[0]), max(p[3], t[3]) - min(p[1], t[1])
    if not cw * ch > 0:
        return float("nan"), [float("nan")] * 4
    I, C = iw * ih, cw * ch
    U = w * h + W * H - I
    slopes = []
    for k in range(4):
        sign = -1 if k < 2 else 1
        inner = p[k] > t[k] if k < 2 else p[k] < t[k]
        dI = sign * (iw if k % 2 else ih) if inner and I > 0 else 0.0
        dU = sign * (w if k % 2 else h) - dI
        dC = 0.0 if inner else sign * (cw if k % 2 else ch)
        slopes.append(-(dI * U - I * dU) / (U * U) + (U * dC - dU * C) / (C * C))
    return 1 - I / U + (C - U) / C, slopes


def send(message):
    print(json.dumps(message), flush=True)


loss, items, batches, late = "", 0, 0, None
if WAY == "silent":
    time.sleep(600)
if WAY == "closes":
    os.close(1)
    time.sleep(600)
for line in sys.stdin:
    m = json.loads(line)
    if m["command"] == "hello":
        if WAY == "dies":
            sys.exit("no such device")
        version = 2 if WAY == "stranger" else 1
        send({"nonce": m["nonce"], "protocol": version, "name": WAY, "losses": ["giou"]})
        continue
    if m["command"] == "select":
        loss = m["loss"]
        known = loss == "giou" or loss == "sum"
        send({"ok": True} if known else {"unsupported": "only giou"})
        continue
    if m["command"] == "bye":
        break
    ps, ts = unpack(m["prediction"]), unpack(m["target"])
    items, batches = items + len(ps), batches + 1
    if WAY == "crashes" and items >= 1000:
        os.abort()
    if WAY == "exits" and batches == 12:
        sys.exit(0)
    if WAY == "dislikes" and loss == "giou" and any(p[0] > 300 and t[0] > 600 for p, t in zip(ps, ts)):
        sys.stderr.write("segmentation fault, so to speak\n")
        os._exit(5)
    if WAY == "hangs" and batches == 14:
        time.sleep(600)
    if WAY == "noisy":
        print("epoch 1: loss 0.25", flush=True)
        print("WARNING: {not json}", flush=True)
    if WAY == "floods":
        sys.stderr.write("x" * 300000 + "\n")
        print("y" * 300000, flush=True)
    if loss == "sum":
        value, slopes = [p[0] + t[0] for p, t in zip(ps, ts)], [1.0] * len(ps)
    else:
        results = [giou(p, t) for p, t in zip(ps, ts)]
        value, slopes = [v for v, _ in results], [s for _, g in results for s in g]
    if WAY == "nan" and loss == "giou":
        value[-1] = float("nan")
    if WAY == "random" and loss == "giou":
        value = [v * (1 + 2e-7 * random.random()) for v in value]
    if WAY == "short":
        value = value[:-1]
    answer = {"seq": m["seq"], "value": pack(value)}
    if m["gradient"]:
        answer["gradient"] = pack(slopes)
    if WAY == "decimal":
        answer["value"] = [x if x == x else "nan" for x in value]
    if WAY == "refuses" and loss == "giou":
        answer["rejected"] = {"0": "I do not like it"}
    if WAY == "complains" and loss == "giou":
        answer = {"seq": m["seq"], "error": "out of memory"}
    if WAY == "disorderly" and batches % 4 == 0:
        answer["seq"] -= 1
    send(answer)

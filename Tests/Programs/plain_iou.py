"""The IoU loss of two boxes and its gradient, in Python alone."""
EPSILON = 0.0


def loss(p, t):
    w, h, W, H = p[2] - p[0], p[3] - p[1], t[2] - t[0], t[3] - t[1]
    iw = max(0.0, min(p[2], t[2]) - max(p[0], t[0]))
    ih = max(0.0, min(p[3], t[3]) - max(p[1], t[1]))
    shared, union = iw * ih, w * h + W * H - iw * ih + EPSILON
    if union == 0:
        return 1.0, [0.0] * 4
    inner = [p[0] > t[0], p[1] > t[1], p[2] < t[2], p[3] < t[3]]
    slopes = [s if is_inner and iw > 0 and ih > 0 else 0.0 for s, is_inner in zip((-ih, -iw, ih, iw), inner)]
    iou = shared / union
    return 1 - iou, [(iou * (a - s) - s) / union for a, s in zip((-h, -w, h, w), slopes)]

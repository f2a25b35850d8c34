/// Extended IoU: an intersection that goes on below 0 where the boxes are apart, and a smooth L1 of it.
///
///     l = 1 − I / (P + T − I + ε),   L = l² / (2k) if l < k,  l − k/2 else
///     I = (i2x − ex) (i2y − ey) + (mx − ex) (my − ey) − (i1x − ex) (My − ey) − (Mx − ex) (i1y − ey)
///
/// On either axis i1 is the larger of the lower edges, i2 the smaller of the upper ones, e the smaller
/// of the lower ones, m = min(i1, i2) and M = max(i1, i2). I is the area of the intersection where the
/// boxes meet. k is the smooth point; 0 / 0 is 0. Nothing is held constant.
///
/// Source: Peng and Yu, *A Systematic IoU-Related Method*, IEEE TIP 2021; `EIoULoss` of MMDetection.
/// Chapter: `Spec/Boxes/ExtendedIoU.md`.
public struct ExtendedIoU: BoxLoss {
  public static let name = "extended_iou"
  public static let laws: [Law<Self>] = [
    .nonNegative,
    .inequality("L ≤ 2 − k/2") { loss, item, values in
      [(2 - 0.5 * Interval(loss.smoothPoint), values.loose(loss, item))]
    },
    .plain(.zeroAtTarget), .symmetric, .translated, .scaled, .scaledPerAxis, .swapped,
    .where("with smooth point 0", .atLeast("L ≥ IoU loss") { $0.overlap }) { $0.smoothPoint == 0 },
    .agrees("= IoU loss where the boxes meet, with smooth point 0") { loss, item in
      let meet = Box(item.prediction).intersection(Box(item.target)) > 0
      return meet && loss.smoothPoint == 0 ? (loss, loss.overlap, item) : nil
    },
  ]
  public static let dialects: [Dialect] = [
    .mmdet("eiou_loss", parameters: ["smooth_point"], note: "`EIoULoss`: no Efficient IoU.") {
      var loss = Self()
      loss.smoothPoint = try $0.number("smooth_point", default: 0.1)
      loss.unionEpsilon = try $0.number("eps", default: 1e-7)
      return loss
    }
  ]
  public static let hyperparameters: [Hyperparameter<Self>] = [
    Hyperparameter("smoothPoint", \.smoothPoint, in: 0...1, grid: [0, 0.1, 1]),
    Hyperparameter("unionEpsilon", \.unionEpsilon, in: 0...1, grid: [0, 1e-7, 1e-3]),
  ]

  /// k: where the loss changes from a square to a line.
  public var smoothPoint = 0.1
  /// Added to the union.
  public var unionEpsilon = 0.0

  public init() {}

  // MARK: Reference

  public func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let (ex, ey) = (S.min(p.x1, t.x1), S.min(p.y1, t.y1))
    let (i1x, i1y) = (S.max(p.x1, t.x1), S.max(p.y1, t.y1))
    let (i2x, i2y) = (S.min(p.x2, t.x2), S.min(p.y2, t.y2))
    let (mx, my) = (S.min(i1x, i2x), S.min(i1y, i2y))
    let (Mx, My) = (S.max(i1x, i2x), S.max(i1y, i2y))
    let intersection =
      (i2x - ex) * (i2y - ey) + (mx - ex) * (my - ey)
      - (i1x - ex) * (My - ey) - (Mx - ex) * (i1y - ey)
    let union = p.width * p.height + t.width * t.height - intersection + S(unionEpsilon)
    let l = 1 - S.quotient(intersection, union)
    guard smoothPoint > 0 else { return l }
    let k = S(smoothPoint)
    return .select(l .< k, 0.5 * S.square(l) / k, l - 0.5 * k)
  }

  public func gradientTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> [S] {
    // What J′ (A + ε) − A′ J is a difference of: J′ of a lower edge that is the farther one, or of an
    // upper edge within the other box's span.
    func axis(_ p1: S, _ p2: S, _ t1: S, _ t2: S) -> (start: S, gap: S, near: S, common: S) {
      let start = S.abs(p1 - t1)
      let span = S.min(p2, t2) - S.max(p1, t1)
      let gap = S.max(-span, 0)
      return (start, gap, start - gap, S.max(span, 0))
    }
    let x = axis(p.x1, p.x2, t.x1, t.x2)
    let y = axis(p.y1, p.y2, t.y1, t.y2)
    let below =
      2 * (x.start * y.gap + x.gap * y.near) + y.gap * x.common + x.gap * y.common
    let areas = p.width * p.height + t.width * t.height + S(unionEpsilon)
    let union = S.square(areas + below)
    let (slopeX, slopeY) = (
      S.select(p.x1 .< t.x1, 2 * y.gap, y.gap), S.select(p.y1 .< t.y1, 2 * x.gap, x.gap)
    )
    return [
      .quotient(slopeX * areas + p.height * below, union),
      .quotient(slopeY * areas + p.width * below, union),
    ]
  }

  // MARK: Optimized

  @inline(always)
  public func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let pair = PreciseOverlap(p, t, unionEpsilon: unionEpsilon)
    let x = SignedSpan(p.x1, p.x2, t.x1, t.x2)
    let y = SignedSpan(p.y1, p.y2, t.y1, t.y2)
    // What I is below 0, J = 2 aₓ nᵧ + 2 nₓ mᵧ + nᵧ sₓ + nₓ sᵧ, has no negative term.
    let twice = (x.start + x.start) * y.gap + (x.gap + x.gap) * y.near
    let below = twice + (y.gap * x.common + x.gap * y.common)
    let union = (pair.excess + pair.area) + TwoWords(below)
    let l = PreciseOverlap.ratio(pair.excess + TwoWords(below + below), union)

    let isInner = l.high .< V(smoothPoint)
    let value = V.select(
      isInner, V(0.5) * TwoWords.square(l).high / V(smoothPoint),
      (l.high - V(0.5 * smoothPoint)) + l.low)
    let factor = V.select(isInner, l.high / V(smoothPoint), .one)

    // Where the boxes meet, the slopes of the IoU loss; where they are apart, with A the sum of the
    // areas, l = (A + ε + 2J) / (A + ε + J) has (J′ (A + ε) − A′ J) / (A + ε + J)².
    let meeting = Overlap(p, t, heightEpsilon: 0, unionEpsilon: unionEpsilon)
    let inside = meeting.slopes.gradient(p, t)
    let whole = V.select(union.high .== .zero, .one, union.high)
    let share = pair.excess.high / whole
    let lost = below / whole
    let (lostH, lostW) = (meeting.h * lost, meeting.w * lost)
    let slopesX = x.slopes(across: y)
    let slopesY = y.slopes(across: x)
    func slope(_ inside: V, _ apart: V) -> V {
      factor * V.select(meeting.overlaps, inside, apart / whole)
    }
    return (
      value,
      Box(
        x1: slope(inside.x1, slopesX.low * share + lostH),
        y1: slope(inside.y1, slopesY.low * share + lostW),
        x2: slope(inside.x2, slopesX.high * share - lostH),
        y2: slope(inside.y2, slopesY.high * share - lostW))
    )
  }

  /// The loss that this one goes on from where the boxes part.
  private var overlap: IoU { IoU(unionEpsilon: unionEpsilon) }
}

/// One axis of two boxes for Extended IoU, as differences of edges that are not negative.
public struct SignedSpan<V: Lanes> {
  /// a = i1 − e, the span s = i2 − i1 where it is positive, and n = −s where it is negative; and
  /// m = a − n, the distance of e to the smaller of i1 and i2.
  public let start, common, gap, near: V
  /// −1, 0 or 1 as the prediction's lower edge lies below, on or above the target's; and the upper.
  public let lower, upper: V

  @inline(always)
  public init(_ low: V, _ high: V, _ targetLow: V, _ targetHigh: V) {
    let e = V.min(low, targetLow)
    let end = V.min(high, targetHigh)
    let span = end - V.max(low, targetLow)
    start = V.abs(low - targetLow)
    common = V.select(.zero .< span, span, .zero)
    gap = V.select(span .< .zero, -span, .zero)
    near = V.select(span .< .zero, end - e, start)
    lower = V.sign(low - targetLow)
    upper = V.sign(high - targetHigh)
  }

  /// J′ in the lower and in the upper edge. a has slope ±1 in the lower edge; s has −1 in it where it
  /// lies above the target's, and 1 in the upper edge where that lies below; where the boxes are
  /// apart on this axis, s = −n. At coinciding edges the mean.
  @inline(always)
  public func slopes(across other: Self) -> (low: V, high: V) {
    let isApart = .zero .< gap
    let nearer = V.select(
      isApart, (other.start + other.start) + other.common, other.gap)
    let farther = -(other.gap + other.gap)
    let inner = V.select(
      isApart, -((other.near + other.near) + other.common), other.gap)
    let half = V(0.5)
    return (
      half * ((.one + lower) * nearer + (.one - lower) * farther), half * (.one - upper) * inner
    )
  }
}

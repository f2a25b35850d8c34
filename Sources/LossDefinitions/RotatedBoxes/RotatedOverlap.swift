/// What two rotated boxes have in common, for the kernels: areas, and their slopes in the first box.
///
/// In the target's frame the prediction has the centre (u, v) and turns by δ. Its sides are named so
/// that |δ| ≤ π/4, and how far its corners stand outside the target's edges is a sum of small terms:
/// for the right edge, with s = sin δ and c = cos δ,
///
///     x − W/2 = u + (w − W)/2 − (w/2) s²/(1 + c) ± (h/2) s .
///
/// Boxes nearly alike, nearly parallel or with a common edge lose no digits there.
public struct RotatedOverlap<V: Lanes> {
  public typealias Two = TwoWords<V>
  /// I, U − I and U.
  public let area, excess, union: Two
  /// Of 1 − I/U.
  public let slopes: RotatedBox<V>

  @inline(always)
  public init(_ p: RotatedBox<V>, _ t: RotatedBox<V>) {
    let turn = V.fineSineAndCosine(Two.sum(p.θ, -t.θ))
    let frame = V.fineSineAndCosine(Two(t.θ))
    let d = (x: Two.sum(p.x, -t.x), y: Two.sum(p.y, -t.y))
    let u = frame.cosine * d.x + frame.sine * d.y
    let v = frame.cosine * d.y - frame.sine * d.x

    // w along δ is h along δ − π/2; and δ is δ + π.
    let isCrossed = V.abs(turn.cosine.high) .< V.abs(turn.sine.high)
    let first = Two.select(isCrossed, turn.sine, turn.cosine)
    let second = Two.select(isCrossed, -turn.cosine, turn.sine)
    let isBack = first.high .< .zero
    let c = Two.select(isBack, -first, first)
    let s = Two.select(isBack, -second, second)
    let (w, h) = (V.select(isCrossed, p.h, p.w), V.select(isCrossed, p.w, p.h))

    let versine = Two.square(s) / (Two(.one) + c)
    let wider = (Two.sum(w, -t.w) - Two(w) * versine).times(0.5)
    let taller = (Two.sum(h, -t.h) - Two(h) * versine).times(0.5)
    let leanX = (Two(h) * s).times(0.5)
    let leanY = (Two(w) * s).times(0.5)
    let (right, left) = (u + wider, wider - u)
    let (top, bottom) = (v + taller, taller - v)
    // Counterclockwise from the lower right.
    let c1 = Corner(right: right + leanX, bottom: bottom - leanY, of: t)
    let c2 = Corner(right: right - leanX, top: top + leanY, of: t)
    let c3 = Corner(left: left + leanX, top: top - leanY, of: t)
    let c0 = Corner(left: left - leanX, bottom: bottom + leanY, of: t)

    // An edge that moves outward by ε adds ε times its clipped length to I, and one that turns about
    // the prediction's centre minus the integral of the distance from its middle. One edge after
    // the other, by a quarter turn each.
    var corners = (c1, c2, c3, c0)
    var (side, next) = (h, w)
    var normal = (x: c, y: s)
    var rest = Two(.zero)
    var (areaU, areaV, areaθ) = (Two(.zero), Two(.zero), Two(.zero))
    var (moved, others) = (Two(.zero), Two(.zero))
    for _ in 0..<4 {
      let clip = Clip(
        corners.0, corners.1, dx: -(Two(side) * normal.y), dy: Two(side) * normal.x)
      rest = rest + clip.beyond
      let length = Two(side) * clip.share
      areaU = areaU + length * normal.x
      areaV = areaV + length * normal.y
      areaθ = areaθ - length * (Two(side) * clip.middle)
      moved = moved + length
      corners = (corners.1, corners.2, corners.3, corners.0)
      normal = (-normal.y, normal.x)
      swap(&side, &next)
      swap(&moved, &others)
    }
    // P − I, and T − P as a sum of differences.
    let growth = Two.sum(t.w, -w) * Two(t.h) + Two(w) * Two.sum(t.h, -h)
    let own = Two(w) * Two(h)
    let its = Two(t.w) * Two(t.h)
    // Without an edge inside the target the boxes are apart, or the target is inside.
    let isWhole = (moved.high + others.high) .== .zero
    let isApart = isWhole & (((own.high - rest.high) + (own.high - rest.high)) .< its.high)
    area = Two.select(isApart, Two(.zero), Two.select(isWhole, its, own - rest))
    excess = (rest + rest) + growth
    union = its + rest

    let isVoid = (its.high .== .zero) | (union.high .== .zero)
    let stay = V.select(isVoid, .zero, .one)
    // −d(I/U) = (I P′ − I′ (U + I)) / U², with P′ = h in w and w in h.
    let safe = Two.select(isVoid, Two(.one), union)
    let sum = (union + area) / safe
    let iou = area / safe
    func slope(_ area: Two, _ own: Two) -> V { stay * ((iou * own - sum * area) / safe).high }
    let slopeW = slope(moved.times(0.5), Two(h))
    let slopeH = slope(others.times(0.5), Two(w))
    let pull = -(sum / safe)
    slopes = RotatedBox(
      x: stay * (pull * (frame.cosine * areaU - frame.sine * areaV)).high,
      y: stay * (pull * (frame.sine * areaU + frame.cosine * areaV)).high,
      w: V.select(isCrossed, slopeH, slopeW), h: V.select(isCrossed, slopeW, slopeH),
      θ: stay * (pull * areaθ).high)
  }

  /// A corner: how far it is outside of the target's edges.
  public struct Corner {
    public let right, top, left, bottom: Two

    @inline(always) public init(right: Two, top: Two, of box: RotatedBox<V>) {
      (self.right, self.top) = (right, top)
      (left, bottom) = (-right - Two(box.w), -top - Two(box.h))
    }

    @inline(always) public init(right: Two, bottom: Two, of box: RotatedBox<V>) {
      (self.right, self.bottom) = (right, bottom)
      (left, top) = (-right - Two(box.w), -bottom - Two(box.h))
    }

    @inline(always) public init(left: Two, top: Two, of box: RotatedBox<V>) {
      (self.left, self.top) = (left, top)
      (right, bottom) = (-left - Two(box.w), -top - Two(box.h))
    }

    @inline(always) public init(left: Two, bottom: Two, of box: RotatedBox<V>) {
      (self.left, self.bottom) = (left, bottom)
      (right, top) = (-left - Two(box.w), -bottom - Two(box.h))
    }

    /// y from the target's centre.
    @inline(always) public var y: Two { (top - bottom).times(0.5) }
  }

  /// Where a directed edge crosses a line: the part of it before, and the parts between which it is
  /// inside.
  public struct Crossing {
    public let ratio, entry, exit: Two
    /// ½ where the edge lies on the line.
    public let weight: V

    /// - Parameters:
    ///   - a, b: how far the edge's ends are outside.
    ///   - fall: a − b.
    @inline(always) public init(_ a: Two, _ b: Two, _ fall: Two) {
      let enters = (V.zero .< a.high) & (b.high .< .zero)
      let leaves = (V.zero .< b.high) & (a.high .< .zero)
      ratio =
        Two.select(enters | leaves, a, Two(.zero))
        / Two.select(enters | leaves, fall, Two(.one))
      entry = Two.select(
        V.zero .< a.high, Two.select(enters, ratio, Two(.one)), Two(.zero))
      exit = Two.select(
        V.zero .< b.high, Two.select(leaves, ratio, Two(.zero)), Two(.one))
      weight = V.select((a.high .== .zero) & (b.high .== .zero), V(0.5), .one)
    }
  }

  /// An edge of the prediction.
  public struct Clip {
    /// The part of it inside the target, and that part's middle as seen from the edge's; in parts of
    /// its length.
    public let share, middle: Two
    /// Its part of −∮ (y − clamp(y)) dx, the area of the prediction outside of the target; y is clamped
    /// to the target's heights, and to 0 beside it.
    public let beyond: Two

    /// - Parameters:
    ///   - a, b: its ends.
    ///   - dx, dy: b − a.
    @inline(always) public init(_ a: Corner, _ b: Corner, dx: Two, dy: Two) {
      let right = Crossing(a.right, b.right, -dx)
      let left = Crossing(a.left, b.left, dx)
      let top = Crossing(a.top, b.top, -dy)
      let bottom = Crossing(a.bottom, b.bottom, dy)

      let start = Two.larger(right.entry, left.entry)
      let end = Two.smaller(right.exit, left.exit)
      let (entry, exit) = (
        Two.larger(start, Two.larger(top.entry, bottom.entry)),
        Two.smaller(end, Two.smaller(top.exit, bottom.exit))
      )
      let weight = Two((right.weight * left.weight) * (top.weight * bottom.weight))
      share = weight * Two.larger(exit - entry, Two(.zero))
      middle = ((exit + entry) - Two(.one)).times(0.5)

      // Beside the target: dx times the mean of y between there and the crossing.
      let (ya, yb) = (a.y, b.y)
      func beside(_ ra: Two, _ rb: Two, _ ratio: Two) -> Two {
        let (qa, qb) = (Two.larger(ra, Two(.zero)), Two.larger(rb, Two(.zero)))
        let middle = ya + dy * ratio
        let from = Two.select(V.zero .< ra.high, ya, middle)
        let to = Two.select(V.zero .< rb.high, yb, middle)
        return (qb - qa) * (from + to).times(0.5)
      }
      let sides =
        beside(a.right, b.right, right.ratio) - beside(a.left, b.left, left.ratio)

      // Above and below it: dx times the mean of what is positive of y − H/2 and of −y − H/2.
      let between = dx * Two.larger(end - start, Two(.zero))
      func mean(_ a: Two, _ rise: Two) -> Two {
        let (p, q) = (a + rise * start, a + rise * end)
        let sum = Two.larger(p, Two(.zero)) + Two.larger(q, Two(.zero))
        let size = Two.magnitude(p) + Two.magnitude(q)
        let isNone = size.high .== .zero
        return Two.select(
          isNone, size, (sum * (sum / Two.select(isNone, Two(.one), size))).times(0.5))
      }
      beyond = -(sides + between * (mean(a.top, dy) - mean(a.bottom, -dy)))
    }
  }
}

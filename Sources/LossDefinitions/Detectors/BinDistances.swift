/// The distance that bins of logits stand for, Σ k softmax(x)_k, lane by lane.
///
/// Every version of a detector decides on these bits: a lane's result is the same at any place.
@inline(always)
func binDistance<V: Lanes>(_ bins: Int, _ logit: (Int) -> V) -> V {
  if bins == 1 { return logit(0) }
  var top = logit(0)
  for k in 1..<bins { top = V.max(top, logit(k)) }
  var (sum, moment) = (V.zero, V.zero)
  var number = V.zero
  for k in 0..<bins {
    let e = V.plainDecay(V.atLeast(-80, logit(k) - top))
    sum = sum + e
    moment = moment + number * e
    number = number + V.one
  }
  return moment / sum
}

extension Lanes {
  /// e^x of −80 ≤ x ≤ 0 to about an ulp, without words for the rounding errors.
  @inline(always)
  static func plainDecay(_ x: Self) -> Self {
    let n = nearest(x * Self(1.4426950408889634))
    let r = (x - n * Self(repeating: ln2High)) - n * Self(repeating: ln2Low)
    return (one + (r + r * r * exponentialTail(r))) * powerOfTwo(n)
  }

  /// e^−|z| and σ(z), each to a few ulps: σ(|z|) = 1 / (1 + e).
  @inline(always)
  static func decayAndSigmoid(_ z: Self) -> (decay: Self, sigmoid: Self) {
    let x = atLeast(exponentialRange.low, -abs(z))
    let n = nearest(x * Self(1.4426950408889634))
    let r = (x - n * Self(repeating: ln2High)) - n * Self(repeating: ln2Low)
    let e = scaled(one + (r + r * r * exponentialTail(r)), n)
    return (e, select(z .< zero, e, one) / (one + e))
  }
}

extension DoubleLanes {
  /// Four elements, written out so that the compiler converts them as vectors.
  @inline(always)
  init<Element: LaneElement>(widening p: UnsafePointer<Element>) {
    self.init(SIMD4(Double(p[0]), Double(p[1]), Double(p[2]), Double(p[3])))
  }

  /// The first `count` elements; the lanes beyond repeat the last of them.
  @inline(always)
  init<Element: LaneElement>(widening p: UnsafePointer<Element>, count: Int) {
    if count >= 4 {
      self.init(widening: p)
    } else {
      let last = count - 1
      self.init(
        SIMD4(
          Double(p[0]), Double(p[Swift.min(1, last)]), Double(p[Swift.min(2, last)]),
          Double(p[last])))
    }
  }
}

extension TaskAligned {
  /// The CIoU of truths and boxes, also where it is negative.
  ///
  /// In exact arithmetic what `overlap` clips at 0; the roundings differ by far less than `slack`.
  @inline(always)
  func signedOverlap<V: Lanes>(_ t: Box<V>, _ p: Box<V>) -> V {
    let ε = V(1e-7)
    let (w, h, W, H) = (p.x2 - p.x1, (p.y2 - p.y1) + ε, t.x2 - t.x1, (t.y2 - t.y1) + ε)
    let iw = V.max(.zero, V.min(p.x2, t.x2) - V.max(p.x1, t.x1))
    let ih = V.max(.zero, V.min(p.y2, t.y2) - V.max(p.y1, t.y1))
    let common = iw * ih
    let iou = common / ((w * h + W * H - common) + ε)
    let (cw, ch) = (
      V.max(p.x2, t.x2) - V.min(p.x1, t.x1), V.max(p.y2, t.y2) - V.min(p.y1, t.y1)
    )
    let dx = (p.x1 + p.x2 - t.x1 - t.x2) * V(0.5)
    let dy = (p.y1 + p.y2 - t.y1 - t.y2) * V(0.5)
    let distance = (dx * dx + dy * dy) / ((cw * cw + ch * ch) + ε)
    let cross = W * h - w * H
    let angle = V.atan(cross / (H * h + W * w))
    let turn = V.select(cross .== .zero, .zero, angle)
    let v = V(4 / (Double.pi * Double.pi)) * (turn * turn)
    return (iou - distance) - v * (v / ((V.one - iou) + v + ε))
  }

  /// What a signed overlap may be off by, with a wide margin.
  static var slack: Double { 1e-11 }

  /// sᵅ uᵝ, about.
  @inline(always)
  func roughMetric<V: Lanes>(_ s: V, _ u: V) -> V {
    let score = alpha == 0.5 ? V.sqrt(s) : alpha == 1 ? s : V.pow(s, V(alpha))
    if beta == 6 {
      let cube = u * u * u
      return score * (cube * cube)
    }
    return score * V.pow(u, V(beta))
  }
}

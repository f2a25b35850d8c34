/// The Kullback-Leibler divergence of two boxes as normal distributions, and its slopes in the first one.
///
/// Let ρ = (w − W) / W, or (W − w) / w for the divergence from the target, and likewise of the heights,
/// with δ the angle between the boxes, A = W H (w h), and u, v the components of d along the sides W, H
/// (w, h) of the box whose Σ is inverted. Then
///
///     2 KL = g(ρ_w) + g(ρ_h) + sin²δ (w² − h²)(W² − H²) / A² + 4 (u²/W² + v²/H²),
///     g(ρ) = (1 + ρ)² − 1 − ln (1 + ρ)² = ρ² + 2 (ρ − ln(1 + ρ)),
///
/// a sum of terms that are not negative, if the sides are named as `MatchedSides` does.
public struct Divergence<V: Lanes> {
  public let value: TwoWords<V>
  public let slopes: RotatedBox<V>

  @inline(always)
  public init(_ p: RotatedBox<V>, _ t: RotatedBox<V>, isFromPrediction: Bool) {
    typealias Two = TwoWords<V>
    let sides = MatchedSides(p, t)
    let to = isFromPrediction ? t : p
    let (baseW, baseH) =
      isFromPrediction ? (Two(sides.targetW), Two(sides.targetH)) : (Two(sides.w), Two(sides.h))
    let ρw = (isFromPrediction ? sides.differenceW : -sides.differenceW) / baseW
    let ρh = (isFromPrediction ? sides.differenceH : -sides.differenceH) / baseH
    let area = baseW * baseH
    let (own, other) = (sides.excess / area, sides.targetExcess / area)

    let d = (x: Two.sum(p.x, -t.x), y: Two.sum(p.y, -t.y))
    let along = GaussianPair<V>.Along(d, to.θ)
    let (u, v) = (along.u / Two(to.w), along.v / Two(to.h))
    let centers = (Two.square(u) + Two.square(v)).times(4)
    let form =
      (Self.gap(ρw) + Self.gap(ρh)) + (sides.sineSquared * (own * other) + centers)
    value = form.times(0.5)

    // d of the centres: ∂KL/∂d = 4 R (u/W, v/H), with u and v in sides.
    let (pullU, pullV) = ((u / Two(to.w)).times(4), (v / Two(to.h)).times(4))
    let slopeX = (along.cosine * pullU.high) - (along.sine * pullV.high)
    let slopeY = (along.sine * pullU.high) + (along.cosine * pullV.high)

    // g's slope in w is 2 ((1 + ρ)² − 1) / w, or minus that; sin²δ's factor has the slopes
    // 2 w (W² − H²) / A² and −2 h (W² − H²) / A², or 2 (W² − H²) / w³ and −2 (W² − H²) / h³.
    let growthW = ρw * (ρw + Two(V(2)))
    let growthH = ρh * (ρh + Two(V(2)))
    let lean = sides.sineSquared * other
    let (w, h) = (Two(sides.w), Two(sides.h))
    let turn = (sides.sine * sides.cosine) * (own * other)
    if isFromPrediction {
      let slopeW = growthW / w + lean * (w / area)
      let slopeH = growthH / h - lean * (h / area)
      slopes = RotatedBox(x: slopeX, y: slopeY, w: slopeW.high, h: slopeH.high, θ: turn.high)
    } else {
      // The prediction's frame also turns and stretches under d:
      // ∂(u²/w²)/∂w = −2 u²/w³, ∂(u²/w² + v²/h²)/∂θ = 2 u v (1/w² − 1/h²).
      let slopeW = (lean * (h / w) - growthW - Two.square(u).times(4)) / w
      let slopeH = -((lean * (w / h) + growthH + Two.square(v).times(4)) / h)
      let swing = ((u * v) * own).times(4)
      slopes = RotatedBox(
        x: slopeX, y: slopeY, w: slopeW.high, h: slopeH.high, θ: (turn - swing).high)
    }
  }

  /// g(ρ).
  ///
  /// Near 0, with s = ρ / (2 + ρ), ln(1 + ρ) = 2 s + s³ (2/3 + …) and ρ − 2 s = ρ s.
  @inline(always)
  public static func gap(_ ρ: TwoWords<V>) -> TwoWords<V> {
    typealias Two = TwoWords<V>
    let s = ρ / (ρ + Two(V(2)))
    let isNear = V.abs(s.high) .< V(0.17)
    let z = V.select(isNear, s.high * s.high, .zero)
    let cube = (s.high * z) * (V(2.0 / 3) + z * V.logarithmTail(z))
    let near = ρ * s - Two(cube)
    let parts = V.log1pParts(ρ.high)
    let far = ρ - Two.quickSum(parts.high, parts.low + ρ.low / (V.one + ρ.high))
    return Two.square(ρ) + Two.select(isNear, near, far).times(2)
  }
}

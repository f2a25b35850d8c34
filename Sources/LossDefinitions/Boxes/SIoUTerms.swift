extension SIoU {
  /// The sizes of what the slopes of (Δ + Ω) / 2 are sums of.
  func penaltyTerms<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> (x: S, y: S) {
    let box = p.enclosing(t)
    let sx = S.abs((t.x1 + t.x2 - p.x1 - p.x2) * 0.5 + S(offsetEpsilon))
    let sy = S.abs((t.y1 + t.y2 - p.y1 - p.y2) * 0.5 + S(offsetEpsilon))
    let size = sx * sx + sy * sy
    let γ = 2 - S.quotient(2 * sx * sy, size)
    let rate = sign == .paper ? -γ : γ
    func decay(_ s: S, _ c: S) -> S { S.exp(rate * S.square(.quotient(s, c))) }
    func turning(_ s: S, _ c: S) -> S { decay(s, c) * S.square(.quotient(s, c)) }
    let turn = turning(sx, box.width) + turning(sy, box.height)
    func terms(_ s: S, _ other: S, _ c: S, _ w: S, _ target: S, _ ε: S) -> S {
      let ratio = S.quotient(s, c)
      let slope = S.quotient(γ * decay(s, c) * ratio, c)
      let angle = S.quotient(other * S.abs(other - s) * (other + s) * turn, size * size)
      return slope * (0.5 + ratio) + 0.5 * angle + 0.5 * Self.shapeTerm(w, target, ε)
    }
    return (
      terms(sx, sy, box.width, p.width, t.width, 0),
      terms(sy, sx, box.height, p.height, t.height, S(shapeEpsilon))
    )
  }

  /// At least the slope of (1 − e^−ω)⁴ in w.
  static func shapeTerm<S: Scalar>(_ w: S, _ target: S, _ epsilon: S, weight: S = 1) -> S {
    let largest = S.max(w, target) + epsilon
    let ω = weight * S.quotient(.abs(w - target), largest)
    let cost = -S.expm1(-ω)
    return S.quotient(4 * weight * cost * S.square(cost) * S.exp(-ω), largest)
  }
}
